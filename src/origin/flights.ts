import { type Clock, systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { untilAborted } from "../base/until-aborted.ts";
import { deadlineAfter } from "./deadline.ts";

interface Flight<T> {
  readonly key: string;
  /** Whose it is: who asked first. */
  readonly client: string | undefined;
  readonly work: (signal: AbortSignal) => Promise<T>;
  readonly end: PromiseWithResolvers<T>;
  /** Callers that wait for it. */
  waiting: number;
  /** Since when it runs; `undefined` while it waits for a slot. */
  begun: number | undefined;
}

export interface FlightOptions {
  /** Those that run at the same time; the others wait in a row. One client has three quarters of them at most. */
  readonly slots: number;
  /** Those that wait for a slot, a quarter of them for one client; beyond that callers are told to come again. */
  readonly maxWaiting: number;
  /** The time that each has, in milliseconds, once it runs. */
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

/** Who asks for work. */
export interface Passenger {
  readonly signal: AbortSignal;
  /** What bounds are counted by; `undefined`: one that stands for many, and has none. */
  readonly client?: string | undefined;
  /** Milliseconds since 1970: work that began earlier does not serve. */
  readonly notBefore?: number | undefined;
}

/**
 * Work that many may ask for at once and that is done once: whoever asks for what is under way waits for that. It goes on where its callers
 * have gone, so that they find it done when they come again; what has not begun by then is forgotten.
 */
export class Flights<T> {
  private readonly options: FlightOptions;
  /** By key, the latest that began. */
  private readonly latest = new Map<string, Flight<T>>();
  private readonly queue = new Set<Flight<T>>();
  private readonly active = new Set<Flight<T>>();
  private readonly closing = new AbortController();

  constructor(options: FlightOptions) {
    this.options = options;
  }

  /** How many have a slot. */
  get running(): number {
    return this.active.size;
  }

  /**
   * Joins the work called `key`, or begins it. Errors: those of the work; `deadline` where it takes too long; `unavailable` where too much
   * waits already, and once the server stops; the signal's reason.
   */
  async join(key: string, work: (signal: AbortSignal) => Promise<T>, passenger: Passenger): Promise<T> {
    const { signal, client, notBefore = Number.NEGATIVE_INFINITY } = passenger;
    signal.throwIfAborted();
    this.closing.signal.throwIfAborted();
    const there = this.latest.get(key);
    const fits = there !== undefined && (there.begun ?? Number.POSITIVE_INFINITY) >= notBefore;
    const flight = fits ? there : this.add(key, work, client);
    flight.waiting++;
    try {
      return await untilAborted(flight.end.promise, signal);
    } finally {
      if (--flight.waiting === 0) this.forget(flight, new StillageError("cancelled", "nobody waits for it any more"));
    }
  }

  /** Breaks off what is under way; resolves once nothing is. */
  async close(): Promise<void> {
    const reason = new StillageError("unavailable", "the server is stopping");
    this.closing.abort(reason);
    for (const flight of this.queue) this.forget(flight, reason);
    await Promise.allSettled([...this.active].map(({ end }) => end.promise));
  }

  private add(key: string, work: (signal: AbortSignal) => Promise<T>, client: string | undefined): Flight<T> {
    const { maxWaiting, slots } = this.options;
    const full = this.queue.size >= maxWaiting && this.active.size >= slots;
    if (full || countOf(this.queue, client) >= Math.ceil(maxWaiting / 4)) {
      const retryAfterMs = 1000;
      throw new StillageError("unavailable", "too much is being fetched from origins already", { retryAfterMs });
    }
    const flight = { key, client, work, end: Promise.withResolvers<T>(), waiting: 0, begun: undefined };
    flight.end.promise.catch(() => {}); // callers tell of it, where there are any
    this.latest.set(key, flight);
    this.queue.add(flight);
    this.advance();
    return flight;
  }

  /** Gives free slots to those that wait, in their order, but for clients that have their share. */
  private advance(): void {
    const { slots } = this.options;
    for (const flight of this.queue) {
      if (this.active.size >= slots) return;
      if (countOf(this.active, flight.client) >= Math.max(1, Math.floor((slots * 3) / 4))) continue;
      this.queue.delete(flight);
      void this.run(flight);
    }
  }

  private async run(flight: Flight<T>): Promise<void> {
    const { timeoutMs, clock = systemClock } = this.options;
    flight.begun = clock();
    this.active.add(flight);
    using limit = deadlineAfter(timeoutMs, `the fetch from the origin took longer than ${timeoutMs} ms`);
    try {
      flight.end.resolve(await flight.work(AbortSignal.any([limit.signal, this.closing.signal])));
    } catch (error) {
      flight.end.reject(error);
    } finally {
      this.active.delete(flight);
      this.land(flight);
      this.advance();
    }
  }

  /** Drops what waits for a slot; nothing happens to what has one. */
  private forget(flight: Flight<T>, reason: StillageError): void {
    if (!this.queue.delete(flight)) return;
    this.land(flight);
    flight.end.reject(reason);
  }

  /** Nobody joins it any more. */
  private land(flight: Flight<T>): void {
    if (this.latest.get(flight.key) === flight) this.latest.delete(flight.key);
  }
}

/** How many are of a client; none of one that has no bound. */
function countOf(flights: ReadonlySet<Pick<Flight<unknown>, "client">>, client: string | undefined): number {
  if (client === undefined) return 0;
  let count = 0;
  for (const flight of flights) if (flight.client === client) count++;
  return count;
}
