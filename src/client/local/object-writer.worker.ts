// A thread that writes small objects of a cache. It begins often: what it needs is little.
import { hash as hashOf } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import type { CacheLayout } from "./cache-layout.ts";
import type { WriterAnswer, WriterTask } from "./object-writers.ts";
import { SmallObjects } from "./small-objects.ts";

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");
const objects = new SmallObjects(workerData as CacheLayout);

port.on("message", (task: WriterTask | undefined) => {
  if (task === undefined) {
    objects.close();
    port.close();
    return;
  }
  const { id, bytes, hashes, sizes } = task;
  const answer = (failure?: WriterAnswer["failure"]): void => port.postMessage({ id, failure } satisfies WriterAnswer);
  let from = 0;
  for (let i = 0; i < sizes.length; i++) {
    const [hash, size] = [hashes[i] as string, sizes[i] as number];
    const blob = new Uint8Array(bytes, from, size);
    from += size;
    if (hashOf("sha256", blob, "hex") !== hash) return answer({ at: i, error: "different" });
    try {
      objects.put(hash, blob);
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      return answer({ at: i, error: { code, message } });
    }
  }
  answer();
});
