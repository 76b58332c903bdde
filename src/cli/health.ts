import { readFileSync } from "node:fs";
import { get as getPlain, type IncomingMessage, type RequestOptions } from "node:http";
import { get as getByTls } from "node:https";
import type { Command } from "commander";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";

/** What a server answers at once, or is not well. */
const limitMs = 10_000;

interface Options {
  readonly ca?: string;
}

/** `stillage health [URL]`. */
export function healthCommand(end: (status: number) => void): Command {
  const command = newCommand("health", "stillage")
    .description("Ask a running server whether it takes calls; for health checks of containers and scripts")
    .argument("[URL]", "http://HOST:PORT, https://HOST:PORT or unix:PATH", "http://127.0.0.1:11001")
    .option("--ca <FILE>", "The certificate to trust instead of the system's, where the URL is https");
  return command.action(async (url: string) => {
    try {
      const status = await ask(url, command.opts<Options>());
      if (status === 200) process.stdout.write("ready\n");
      else process.stderr.write(`stillage: ${url} is not ready: it answers ${status}\n`);
      end(status === 200 ? exitStatus.done : exitStatus.failed);
    } catch (error) {
      process.stderr.write(`stillage: ${url} does not answer: ${(error as Error).message}\n`);
      end(exitStatus.failed);
    }
  });
}

/** The HTTP status with which a server says whether it is ready. */
function ask(url: string, { ca }: Options): Promise<number> {
  const common: RequestOptions = { path: "/readyz", agent: false, signal: AbortSignal.timeout(limitMs) };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve(response.statusCode ?? 0);
    };
    if (url.startsWith("unix:")) {
      getPlain({ ...common, socketPath: url.slice("unix:".length) }, answered).on("error", reject);
      return;
    }
    const { protocol, hostname, port } = new URL(url);
    const where = { ...common, host: hostname.replace(/^\[(.*)\]$/, "$1"), port };
    if (protocol === "https:") {
      getByTls({ ...where, ...(ca !== undefined && { ca: readFileSync(ca) }) }, answered).on("error", reject);
    } else if (protocol === "http:") getPlain(where, answered).on("error", reject);
    else reject(new TypeError("a URL with http, https or unix goes here"));
  });
}
