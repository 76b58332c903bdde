import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { StillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { DoorSide } from "../door-side.ts";
import type { StatusReport } from "../http/pages.ts";
import { listenOn } from "../listen-address.ts";
import { Meters } from "../metrics/meters.ts";
import { poolFamilies } from "../metrics/worker-metrics.ts";
import { type Rooms, roomsOf } from "../rooms.ts";
import type { RunningListener, ServerOptions } from "../server-options.ts";
import type { StoreSide } from "../store-side.ts";
import { DoorThread } from "./door-thread.ts";
import { clearCounts, type SharedCountsMemory, sharedCountsMemory } from "./shared-counts.ts";
import { WorkerReadings } from "./worker-readings.ts";

/** A worker that has died is started again after this time, twice as much each time, up to a most. */
const firstPauseMs = 100;
const longestPauseMs = 30_000;

/** A worker that has lived this long begins with the first pause again. */
const healthyMs = 60_000;

/** One place among the workers, and who has it. */
interface Seat {
  readonly number: number;
  thread: DoorThread | undefined;
  /** Deaths in a row. */
  deaths: number;
  restarting: NodeJS.Timeout | undefined;
}

/**
 * The workers of a server: threads with everything that the protocols need, in front of the one store. All listen at the same addresses, and
 * the kernel gives each a part of the connections; sockets with a path are the first one's. One that dies is started again, and what it held
 * of the store is freed; the others do not notice.
 */
export class WorkerPool implements DoorSide {
  listeners: readonly RunningListener[] = [];
  private readonly options: ServerOptions;
  private readonly store: StoreSide;
  private readonly rooms: Rooms;
  private readonly log: Log;
  private readonly counts: SharedCountsMemory;
  private readonly seats: readonly Seat[];
  private readonly readings = new WorkerReadings();
  private readonly meters = new Meters();
  private restarts = 0;
  private closing = false;

  /** Resolves once all of them listen. Errors: those of `openDoors`; none runs then. */
  static async open(options: ServerOptions, store: StoreSide, log: Log): Promise<WorkerPool> {
    await checkFree(options.listeners.map(({ address }) => address));
    const pool = new WorkerPool(options, store, log);
    try {
      const [first, ...others] = pool.seats;
      if (first === undefined) throw new StillageError("internal", "a server has at least one worker");
      // Where any port will do, the first one finds out which the others are to have.
      const known = options.listeners.every(({ address }) => !address.endsWith(":0"));
      const starting = known ? others.map((seat) => pool.start(seat)) : [];
      const [listeners] = await Promise.all([pool.start(first), ...starting]);
      pool.listeners = listeners;
      if (!known) await Promise.all(others.map((seat) => pool.start(seat)));
      return pool;
    } catch (error) {
      await pool.close(0);
      throw error;
    }
  }

  private constructor(options: ServerOptions, store: StoreSide, log: Log) {
    this.options = options;
    this.store = store;
    this.log = log;
    this.rooms = roomsOf(options, store.shelves, undefined);
    this.counts = sharedCountsMemory(options.workers, randomInt(2 ** 32));
    this.seats = Array.from({ length: options.workers }, (_, i) => ({
      number: i + 1,
      thread: undefined,
      deaths: 0,
      restarting: undefined,
    }));
    this.meters.add(
      poolFamilies(() => ({ running: this.threads.length, restarts: this.restarts, silent: this.readings.silent })),
    );
  }

  /** The threads that run. */
  get threads(): readonly DoorThread[] {
    return this.seats.flatMap(({ thread }) => thread ?? []);
  }

  /** The metrics of all workers and of what there is once. */
  async metrics(): Promise<string> {
    const told = await this.readings.of(this.threads);
    return await this.store.metrics([this.meters.read(), ...told]);
  }

  status(): StatusReport {
    const { listeners, restarts } = this;
    return { ...this.store.status(), workersRestarted: restarts, listeners };
  }

  async reload(): Promise<void> {
    const reloads = this.threads.map((thread) => thread.reload());
    await Promise.allSettled(reloads);
    await Promise.all(reloads);
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    for (const { restarting } of this.seats) clearTimeout(restarting);
    await Promise.all(this.threads.map((thread) => thread.close(graceMs)));
  }

  private async start(seat: Seat): Promise<readonly RunningListener[]> {
    const { number } = seat;
    const { store, rooms, log, counts } = this;
    const thread = new DoorThread(
      {
        options: { ...this.options, originAllow: [], originDeny: [], listeners: this.listenersOf(number) },
        number,
        counts,
        removals: store.cache.store.removalCount,
      },
      store,
      { rooms, whole: this, log: ofWorker(log, number) },
    );
    seat.thread = thread;
    const started = performance.now();
    void thread.ended.then((reason) => this.hasEnded(seat, reason, performance.now() - started));
    return await thread.line.ask("opened");
  }

  /** The addresses of a worker: once the first one listens, with the ports that it has. */
  private listenersOf(number: number): ServerOptions["listeners"] {
    const configs = this.options.listeners.map((config, i) => ({
      ...config,
      address: this.listeners[i]?.address ?? config.address,
    }));
    return configs.filter(({ address }) => number === 1 || !address.startsWith("unix:"));
  }

  private hasEnded(seat: Seat, reason: Error | undefined, livedMs: number): void {
    this.readings.hasEnded(seat.thread?.lastMetrics ?? []);
    seat.thread = undefined;
    clearCounts(this.counts, seat.number - 1);
    // Before it has ever listened, whoever starts the server is told.
    if (this.closing || this.listeners.length === 0) return;
    seat.deaths = livedMs > healthyMs ? 1 : seat.deaths + 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (seat.deaths - 1));
    this.log.error({ worker: seat.number, err: reason, pauseMs }, "a worker has ended and is started again");
    seat.restarting = setTimeout(() => this.restart(seat), pauseMs);
  }

  private restart(seat: Seat): void {
    this.restarts++;
    this.start(seat).then(
      () => this.log.info({ worker: seat.number }, "the worker listens again"),
      (error) => {
        this.log.error({ worker: seat.number, reason: (error as Error).message }, "the worker cannot start");
        void seat.thread?.terminate();
      },
    );
  }
}

/** Log lines that say which worker they are of. */
function ofWorker(log: Log, worker: number): Log {
  return {
    debug: (fields, message) => log.debug({ worker, ...fields }, message),
    info: (fields, message) => log.info({ worker, ...fields }, message),
    warn: (fields, message) => log.warn({ worker, ...fields }, message),
    error: (fields, message) => log.error({ worker, ...fields }, message),
  };
}

/**
 * Refuses addresses at which somebody listens already: sockets that share a port with others of the same user would be bound all the same.
 * Errors: `failed-precondition`.
 */
async function checkFree(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    if (address.startsWith("unix:")) continue;
    const server = createServer();
    await listenOn(server, { address });
    await new Promise((resolve) => server.close(resolve));
  }
}
