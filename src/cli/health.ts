import { readFileSync } from "node:fs";
import { get as getPlain, type IncomingMessage, type RequestOptions } from "node:http";
import { get as getByTls } from "node:https";
import type { Command } from "commander";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";

/** What a server answers at once, or is not well. */
const limitMs = 10_000;

interface Options {
  readonly ca?: string;
}

/** Where to ask; a path is that of a Unix socket. */
type Place = { readonly path: string } | { readonly tls: boolean; readonly host: string; readonly port: string };

/** `stillage health [URL]`. */
export function healthCommand(end: (status: number) => void): Command {
  const command = newCommand("health", "stillage")
    .description("Ask a running server whether it takes calls; for health checks of containers and scripts")
    .argument("[URL]", "HOST:PORT, http://HOST:PORT, https://HOST:PORT or unix:PATH", "http://127.0.0.1:11001")
    .option("--ca <FILE>", "The certificate to trust instead of the system's, where the URL is https");
  addUse(command, {
    examples: [
      { says: "In a container's health check", run: "stillage health http://127.0.0.1:11001" },
      {
        says: "A server with a certificate of its own",
        run: "stillage health --ca ca.pem https://cache.example.org:11001",
      },
    ],
    statuses: { done: "it takes calls", failed: "it does not, or does not answer", usage: "wrong usage" },
  });
  return command.action(async (url: string) => {
    const place = placeOf(url);
    const { ca } = command.opts<Options>();
    const trusted = ca === undefined ? undefined : contentOf(ca);
    if (place === undefined || trusted instanceof Error) {
      const why =
        trusted instanceof Error
          ? `--ca: ${ca} cannot be read`
          : `${url}: HOST:PORT, a URL with http or https, or unix:PATH goes here`;
      process.stderr.write(`stillage: ${why}\n`);
      return end(exitStatus.usage);
    }
    try {
      const status = await ask(place, trusted);
      if (status === 200) process.stdout.write("ready\n");
      else process.stderr.write(`stillage: ${url} is not ready: it answers ${status}\n`);
      end(status === 200 ? exitStatus.done : exitStatus.failed);
    } catch (error) {
      process.stderr.write(`stillage: ${url} does not answer: ${reasonOf(error as NodeJS.ErrnoException, place)}\n`);
      end(exitStatus.failed);
    }
  });
}

function placeOf(text: string): Place | undefined {
  if (/^unix:./.test(text)) return { path: text.slice("unix:".length) };
  const url = URL.parse(/^[a-z]+:\/\//.test(text) ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return undefined;
  if (!text.includes("://") && url.port === "") return undefined;
  const { hostname, port, protocol } = url;
  return { tls: protocol === "https:", host: hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

function contentOf(file: string): Buffer | Error {
  try {
    return readFileSync(file);
  } catch (error) {
    return error as Error;
  }
}

/** What came in between, for people: the library's words for the two ways of speaking at cross purposes say neither. */
function reasonOf({ code = "", message }: NodeJS.ErrnoException, place: Place): string {
  if ("tls" in place) {
    if (place.tls && code === "EPROTO") return "there is no TLS there; ask http";
    if (!place.tls && (code === "ECONNRESET" || code.startsWith("HPE_")))
      return `${message}; if TLS is there, ask https`;
  }
  return message;
}

/** The HTTP status with which a server says whether it is ready. */
function ask(place: Place, ca: Buffer | undefined): Promise<number> {
  const common: RequestOptions = { path: "/readyz", agent: false, signal: AbortSignal.timeout(limitMs) };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve(response.statusCode ?? 0);
    };
    if ("path" in place) {
      getPlain({ ...common, socketPath: place.path }, answered).on("error", reject);
      return;
    }
    const where = { ...common, host: place.host, port: place.port };
    if (place.tls) getByTls({ ...where, ...(ca !== undefined && { ca }) }, answered).on("error", reject);
    else getPlain(where, answered).on("error", reject);
  });
}
