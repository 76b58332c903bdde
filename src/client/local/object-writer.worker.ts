// A thread that writes small objects of a cache. It begins often: node:crypto alone would take as long to load as all else here.
import { parentPort, workerData } from "node:worker_threads";
import type { WriterAnswer, WriterData, WriterTask } from "./object-writers.ts";
import { SmallObjects } from "./small-objects.ts";

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");
const { layout, name } = workerData as WriterData;
const objects = new SmallObjects(layout, name);

port.on("message", (task: WriterTask | undefined) => {
  if (task === undefined) {
    objects.close();
    port.close();
    return;
  }
  const { id, memory, hashes, offsets, sizes } = task;
  for (const [i, hash] of hashes.entries()) {
    try {
      objects.put(hash, new Uint8Array(memory, offsets[i], sizes[i]));
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      port.postMessage({ id, failure: { at: i, code, message } } satisfies WriterAnswer);
      return;
    }
  }
  port.postMessage({ id, failure: undefined } satisfies WriterAnswer);
});
