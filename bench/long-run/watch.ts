import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ServerProcess } from "../server-process.ts";
import type { Tally } from "./tally.ts";

const everyMs = 2000;
const diskBlock = 512;

/** Notes the most that the store's directory and the server's memory come to, until `signal`. */
export async function watch(
  store: string,
  server: () => ServerProcess,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    tally.peakDisk = Math.max(tally.peakDisk, await diskUse(store));
    const memory = await server()
      .memory()
      .catch(() => undefined); // it is being killed
    tally.peakMemory = Math.max(tally.peakMemory, memory?.resident ?? 0);
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** Bytes that a directory takes on the disk; what goes meanwhile counts as nothing. */
async function diskUse(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += await diskUse(path);
    else bytes += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * diskBlock;
  }
  return bytes;
}
