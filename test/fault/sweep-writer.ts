import { writeSync } from "node:fs";
import { silentLog } from "../../src/base/log.ts";
import { openCache } from "../../src/cache/open-cache.ts";
import { StoppableSlices } from "../../src/expiry/slices.ts";
import { sweep } from "../../src/expiry/sweep.ts";
import { SweepClock } from "../../src/expiry/sweep-clock.ts";
import { actionsOf, putResults, resultCount } from "./sweep-results.ts";

/**
 * Stores results of actions, each a second after the one before, then sweeps and leaves a part of the bytes. Kills itself at the given time that a
 * step of the sweep is reached; without one it says on its output how many bytes are left.
 *
 *     node sweep-writer.ts DIRECTORY PART [STEP TIMES]
 */
const [directory = "", part, step, times] = process.argv.slice(2);

let seconds = 1_000_000_000;
const clock = (): number => seconds * 1000;
const cache = await openCache(directory, { quota: 64 << 20, durability: "on", leaseMs: 0, clock, log: silentLog });
await putResults(actionsOf(cache, clock), () => seconds++);
seconds += resultCount;

const { store: blobs, refAdmin: refs } = cache;
const { signal } = new AbortController();
let reached = 0;
const report = await sweep({
  blobs,
  refs,
  settings: { lease: 0, maxAge: undefined, limits: [] },
  leave: Math.floor(blobs.usage().bytes * Number(part)),
  clock: new SweepClock({ wall: clock, monotonic: clock, leaseMs: 0 }),
  slices: new StoppableSlices(signal),
  signal,
  reach: (point) => {
    if (point === step && ++reached === Number(times)) process.kill(process.pid, "SIGKILL");
  },
});
await cache.close();
writeSync(1, `${report.bytesAfter}\n`);
