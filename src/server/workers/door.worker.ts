// A thread with doors: everything between the network and the store, which another thread has.
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { ThreadLine } from "../../base/thread-line.ts";
import { DistantUploads } from "../../cache/distant-uploads.ts";
import { defaultLimits } from "../../rpc/limits.ts";
import { DistantRefStore } from "../../store/threads/distant-ref-store.ts";
import { DistantStore } from "../../store/threads/distant-store.ts";
import { AccessLog } from "../access-log.ts";
import { openDoors } from "../door-side.ts";
import { Meters } from "../metrics/meters.ts";
import { workerFamilies } from "../metrics/worker-metrics.ts";
import type { Stock } from "../stock.ts";
import { DistantCommits } from "./distant-commits.ts";
import { DistantOrigin } from "./distant-origin.ts";
import { LineBatch } from "./line-batch.ts";
import { sentFields } from "./log-fields.ts";
import { SharedCounts } from "./shared-counts.ts";
import type { WorkerAsks } from "./worker-desk.ts";
import type { DoorAnswers, WorkerStart } from "./worker-start.ts";

const { options, number, counts, removals } = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");

const line = new ThreadLine<WorkerAsks>(port, {
  opened: async () => (await doors).listeners,
  recallUpload: (upload) => uploads.recall(upload),
  doorMetrics: () => meters.read(),
  reload: async () => {
    lines.flush();
    await (await doors).reload();
  },
  close: async (graceMs) => {
    await (await doors).close(graceMs);
    lines.flush();
  },
} satisfies DoorAnswers);

const store = new DistantStore(line);
const uploads = new DistantUploads(line, store);
const meters = new Meters();
meters.add(workerFamilies(number));
const lines = new LineBatch((text) => line.tell("accessLines", text));
const removed = new Int32Array(removals);

const commits = new Map(options.instances.map((name) => [name, new DistantCommits(name, line)]));

const stock: Stock = {
  blobs: (instance) => store.tenant(instance),
  refs: new DistantRefStore(line),
  removals: () => Atomics.load(removed, 0),
  commits: (instance) => commits.get(instance) ?? new DistantCommits(instance, line),
  uploads,
  origin: options.originFetch === "off" ? undefined : new DistantOrigin(line),
  counts: new SharedCounts(counts, number - 1),
  accessLog: options.accessLog === undefined ? undefined : new AccessLog(lines, systemClock),
  meters,
  metrics: () => line.ask("metrics"),
  status: () => line.ask("status"),
};

// Memory that calls wait for is divided: who waits in one thread could not be told by another that there is some.
const share = (bytes: number): number =>
  Math.max(Math.ceil(bytes / options.workers), 2 * defaultLimits.maxRequestBytes);
const limits = {
  requestMemoryBytes: share(defaultLimits.requestMemoryBytes),
  expandedMemoryBytes: share(defaultLimits.expandedMemoryBytes),
  responseMemoryBytes: share(defaultLimits.responseMemoryBytes),
};

const doors = openDoors(options, stock, logTo("debug", "info", "warn", "error"), { shared: true, limits });
doors.catch(() => {}); // `opened` tells of it

/** The log of the thread of the store, which writes whole lines. What is said is on its way before this returns. */
function logTo(...levels: readonly (keyof Log)[]): Log {
  const say =
    (level: keyof Log) =>
    (fields: object, message: string): void => {
      line.tell("log", level, sentFields(fields), message);
      line.flush();
    };
  return Object.fromEntries(levels.map((level) => [level, say(level)])) as unknown as Log;
}
