import { parseArgs } from "node:util";
import { StillageError } from "../base/errors.ts";

/** What a pusher asks for with `ostree-receive [options] REPO URL [REF...]`. */
export interface ReceiveRequest {
  /** As the pusher calls the repository. */
  readonly repository: string;
  /** The port on this machine's loopback address at which the pusher's repository is. */
  readonly port: number;
  /** None: all that the pusher's summary lists. */
  readonly refs: readonly string[];
  readonly dryRun: boolean;
  /** Take commits also that are not newer, or change nothing. */
  readonly force: boolean;
  readonly verbosity: "quiet" | "normal" | "verbose";
}

const options = {
  "dry-run": { type: "boolean", short: "n" },
  force: { type: "boolean", short: "f" },
  // Accepted, and without a meaning: a summary that does not say what the branches say is of no use to anybody.
  "no-update": { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  verbose: { type: "boolean", short: "v" },
  version: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  repo: { type: "string" },
} as const;

export const receiveUsage = "ostree-receive [-n] [-f] [-q] [-v] [--no-update] REPO URL [REF...]";

/** Reads the arguments of `ostree-receive`; or says that its version or its usage is wanted. Errors: `invalid`, `unsupported`. */
export function receiveRequest(args: readonly string[]): ReceiveRequest | "version" | "help" {
  const { values, positionals } = parsed(args);
  if (values.help) return "help";
  if (values.version) return "version";
  if (values.repo !== undefined) {
    throw new StillageError(
      "unsupported",
      "this ostree-push is older than 0.1.1 and speaks a protocol that nobody uses any more",
      {
        hint: "push with ostree-push 0.1.1 or later",
      },
    );
  }
  const [repository, url, ...refs] = positionals;
  if (repository === undefined || url === undefined) throw new StillageError("invalid", `usage: ${receiveUsage}`);
  return {
    repository,
    port: loopbackPort(url),
    refs,
    dryRun: values["dry-run"] === true,
    force: values.force === true,
    verbosity: values.verbose ? "verbose" : values.quiet ? "quiet" : "normal",
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new StillageError("invalid", `usage: ${receiveUsage}`, {
      hint: (error as Error).message.split(". ")[0] ?? "",
    });
  }
}

/** Ports below are for services that the system's administrator starts, and sshd forwards none of them for anybody else. */
const firstPort = 1024;

/**
 * The port of a URL that leads to the pusher through ssh. Nothing but this machine's loopback address is ever asked: the pusher chooses the URL, and must
 * not have the server fetch from elsewhere for him. Errors: `invalid`.
 */
export function loopbackPort(url: string): number {
  const [, digits] = /^http:\/\/(?:127\.0\.0\.1|localhost):([1-9]\d{0,4})\/?$/.exec(url) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port >= firstPort && port <= 65_535) return port;
  throw new StillageError("invalid", `${JSON.stringify(url.slice(0, 200))} is not where a pusher's repository can be`, {
    hint: "it is http://127.0.0.1:PORT, with a port from 1024 that ssh forwards (-R 0:127.0.0.1:PORT)",
  });
}
