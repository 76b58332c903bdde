// Pushes into the store named first, many at once, and prints the number of each push once it is acknowledged; some it takes away again, and prints
// that before it does. Each is a ref with a small and now and then a large blob. Goes on until it is killed, or told to stop by its input.
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { openCache } from "../../src/cache/open-cache.ts";
import { blobsOf, refNameOf } from "./backup-pushes.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: backup-writer.ts DIRECTORY");
const cache = await openCache(directory, { quota: undefined, durability: "on", clock: systemClock, log: silentLog });
const tenant = cache.store.tenant("");
let next = 0;
let stopped = false;
process.stdin.once("data", () => {
  stopped = true;
});

async function push(): Promise<void> {
  while (!stopped) {
    const number = next++;
    const blobs = blobsOf(number);
    for (const { digest, bytes } of blobs) await tenant.put(digest, bytes);
    const roots = blobs.map(({ digest }) => ({ walk: "blob", digest }) as const);
    const message = Buffer.from(`${number}`);
    await cache.refs.put([{ ...refNameOf(number), message, roots, stored: systemClock(), expires: undefined }]);
    process.stdout.write(`has ${number}\n`);
    // As a sweep does it: the name first.
    if (number % 3 !== 0 || number < 30) continue;
    const old = number - 30;
    process.stdout.write(`removing ${old}\n`);
    await cache.refs.remove(refNameOf(old));
    for (const { digest } of blobsOf(old)) await tenant.remove(digest);
  }
}

await Promise.all(Array.from({ length: 8 }, push));
await cache.close();
process.stdin.destroy();
