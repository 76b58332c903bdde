import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { StillageError } from "../base/errors.ts";
import { receiveSocketName } from "../base/receive-socket.ts";
import { artifactReceive } from "../receive/artifact-receive.ts";
import type { ServerPlace } from "../receive/cache-server.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand, runCommand } from "./new-command.ts";
import { sentence } from "./sentence.ts";

const name = "bst-artifact-receive";

interface Flags {
  readonly verbose?: boolean;
  readonly debug?: boolean;
  readonly pullUrl: string;
  readonly server?: string;
  readonly tokenFile?: string;
  readonly instance: string;
  readonly as?: string;
}

/** The program `bst-artifact-receive`, with the flags of BuildStream 1.0's program of that name and more; gives its exit status. */
export function runBstArtifactReceive(args: readonly string[]): Promise<number> {
  let status: number = exitStatus.usage;
  const command = bstArtifactReceiveProgram().action(async (repo: string) => {
    const flags = command.opts<Flags>();
    const { verbose, debug, pullUrl, instance, as } = flags;
    try {
      const server = await serverPlace({ ...flags, repo });
      const verbosity = debug === true ? 2 : verbose === true ? 1 : 0;
      // Whoever pushes may be gone at any time: then what is written has no reader, which is told where it is written.
      for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
      const streams = { input: process.stdin, output: process.stdout, errors: process.stderr };
      status = await artifactReceive({ pullUrl, server, instance, as, verbosity }, streams);
    } catch (error) {
      process.stderr.write(`${name}: ${sentence(error)}\n`);
    }
  });
  return runCommand(command, args, () => status);
}

/** Its flags: those of BuildStream 1.0's program, and more. */
export function bstArtifactReceiveProgram(): Command {
  const command = newCommand(name, name)
    .description("Take what BuildStream 1.0 to 1.1.3 push over ssh: sshd runs this (docs/OSTREE.md)")
    .option("-v, --verbose", "Say on standard error what is done")
    .option("-d, --debug", "Say more of it")
    .requiredOption("--pull-url <URL>", "Where clients are told to pull", pullUrlOf)
    .option("--server <URL>", "The server, where it is not that of the store REPO: http(s)://HOST:PORT, or unix:PATH")
    .option("--token-file <FILE>", "A file with the token that the server at --server wants")
    .option("--instance <NAME>", "The instance name that is pushed to", "")
    .option("--as <NAME>", "Who pushes: `who: { ssh: NAME }` of the access file")
    .argument("REPO", "The directory of the running server's store");
  return addUse(command, {
    examples: [
      {
        says: "As the command of a key in authorized_keys",
        run: "bst-artifact-receive --pull-url https://cache.example.org/ostree --as builder /srv/cache",
      },
    ],
    see: "docs/OSTREE.md",
  });
}

/** Clients are told it as it is, and find out only when they pull. */
export function pullUrlOf(text: string): string {
  if (["http:", "https:"].includes(URL.parse(text)?.protocol ?? "")) return text;
  throw new InvalidArgumentError("It is a URL of http or https, as http://HOST:11001/ostree.");
}

/** Where the server is. Errors: `invalid`, `failed-precondition`. */
async function serverPlace({
  server,
  tokenFile,
  repo,
}: Pick<Flags, "server" | "tokenFile"> & { readonly repo: string }): Promise<ServerPlace> {
  if (server === undefined || server.startsWith("unix:")) {
    if (tokenFile !== undefined)
      throw new StillageError("invalid", "--token-file is for a server that --server names by its URL");
    if (server !== undefined) return { socket: resolve(server.slice("unix:".length)), store: undefined };
    return { socket: join(resolve(repo), receiveSocketName), store: resolve(repo) };
  }
  const url = URL.parse(server);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new StillageError("invalid", `--server: ${JSON.stringify(server)} is no URL of a server`, {
      hint: "https://HOST:PORT, http://HOST:PORT or unix:PATH",
    });
  }
  return { url, token: tokenFile === undefined ? undefined : (await tokenIn(tokenFile)).trim() };
}

async function tokenIn(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new StillageError("failed-precondition", `the token cannot be read from ${file}: ${why}`, { cause: error });
  }
}
