import { existsSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { AccessLog } from "./access-log.ts";
import { LocalCounts } from "./admission-counts.ts";
import { type DoorSide, openDoors } from "./door-side.ts";
import { withSockets } from "./handed-sockets.ts";
import { receiveListener } from "./receive-socket.ts";
import type { RunningListener, ServerOptions } from "./server-options.ts";
import type { Stock } from "./stock.ts";
import { storeAnswers } from "./store-answer.ts";
import { StoreSide } from "./store-side.ts";
import { WorkerPool } from "./workers/worker-pool.ts";

export interface RunningServer {
  readonly listeners: readonly RunningListener[];
  usage(): StoreUsage;
  /** Resolves once the store has answered; rejects with what keeps it from that. */
  answers(): Promise<void>;
  /** Takes certificates, keys and rights as they are on disk now. Errors: `failed-precondition`; the old ones stay then. */
  reload(): Promise<void>;
  /** Lets running calls end for `graceMs`, cuts those that have not, and closes the store. */
  close(graceMs: number): Promise<void>;
}

/** Opens the store and serves it. What was opened is closed again, in reverse order, when a later step fails. */
export async function startServer(given: ServerOptions, log: Log): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack();
  const receive = receiveListener(given);
  // Last: others are known by their places.
  const listeners = [
    ...withSockets(given.listeners, given.sockets ?? new Map(), log),
    ...(receive === undefined ? [] : [receive]),
  ];
  const { sockets: _, ...rest } = given;
  const options = { ...rest, listeners };
  checkShareable(options);
  if (options.releases !== undefined && !existsSync(options.releases)) {
    log.warn({ releases: options.releases }, "there is no such directory of release repositories yet");
  }
  const store = opened.use(await StoreSide.open(options, log));
  const doors =
    options.workers === 1 ? await openDoorsHere(options, store, log) : await WorkerPool.open(options, store, log);
  const parts = opened.move();
  return {
    listeners: doors.listeners,
    usage: () => store.usage(),
    answers: () => storeAnswers(options.store, store.cache.refs),
    reload: async () => {
      const reloaded = doors.reload();
      // Lines of before belong into the file of before: doors in other threads have handed theirs over by then.
      await Promise.allSettled([reloaded]);
      await store.accessFile?.reopen();
      await reloaded;
    },
    close: async (graceMs) => {
      await doors.close(graceMs);
      await parts.disposeAsync();
    },
  };
}

/** Threads share a descriptor, and one that ends would close it for the others. Errors: `failed-precondition`. */
function checkShareable({ workers, listeners }: ServerOptions): void {
  const handed = listeners.find(({ descriptor }) => descriptor !== undefined);
  if (workers === 1 || handed === undefined) return;
  throw new StillageError("failed-precondition", `several workers cannot share ${handed.address}`, {
    hint: "let them listen at an address of their own instead of a socket that is handed over, or set workers to 1",
  });
}

/** The doors in the thread of the store. */
async function openDoorsHere(options: ServerOptions, store: StoreSide, log: Log): Promise<DoorSide> {
  const { shelves, commits, uploads, origin, accessFile, meters } = store;
  const stock: Stock = {
    ...shelves,
    commits: (instance) => commits.of(instance),
    uploads,
    origin,
    counts: new LocalCounts(),
    accessLog: accessFile && new AccessLog(accessFile, systemClock),
    meters,
    metrics: () => store.metrics(),
    status: () => ({ ...store.status(), listeners: doors.listeners }),
  };
  const doors: DoorSide = await openDoors(options, stock, log);
  return doors;
}
