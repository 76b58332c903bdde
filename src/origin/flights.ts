import { StillageError } from "../base/errors.ts";
import { Slots } from "../cache/slots.ts";
import { untilAborted } from "./until-aborted.ts";

interface Flight<T> {
  readonly result: Promise<T>;
  /** Callers that wait for it. */
  waiting: number;
}

export interface FlightOptions {
  /** Those that run at the same time; the others wait in a row. */
  readonly slots: number;
  /** Those that wait for a slot; beyond that callers are told to come again. */
  readonly maxWaiting: number;
  /** The time that each has, in milliseconds, once it runs. */
  readonly timeoutMs: number;
}

/**
 * Work that many may ask for at once and that is done once: whoever asks for what is under way waits for that. It goes on where its callers
 * have gone, so that they find it done when they come again; what has not begun by then does not begin.
 */
export class Flights<T> {
  private readonly options: FlightOptions;
  private readonly flights = new Map<string, Flight<T>>();
  private readonly slots: Slots;
  private readonly closing = new AbortController();
  /** Those that have a slot. */
  running = 0;

  constructor(options: FlightOptions) {
    this.options = options;
    this.slots = new Slots(options.slots);
  }

  /**
   * Joins the work called `key`, or begins it. Errors: those of the work; `deadline` where it takes too long; `unavailable` where too much
   * waits already, and once the server stops; the signal's reason.
   */
  async join(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const flight = this.flights.get(key) ?? this.begin(key, work);
    flight.waiting++;
    try {
      return await untilAborted(flight.result, signal);
    } finally {
      flight.waiting--;
    }
  }

  /** Breaks off what is under way; resolves once nothing is. */
  async close(): Promise<void> {
    this.closing.abort(new StillageError("unavailable", "the server is stopping"));
    await Promise.allSettled([...this.flights.values()].map(({ result }) => result));
  }

  private begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const { slots, maxWaiting } = this.options;
    if (this.flights.size >= slots + maxWaiting) {
      const retryAfterMs = 1000;
      throw new StillageError("unavailable", "too much is being fetched from origins already", { retryAfterMs });
    }
    let flight: Flight<T> | undefined;
    const result = this.slots
      .run(() => {
        if (flight?.waiting === 0) throw new StillageError("cancelled", "nobody waits for it any more");
        return this.run(work);
      })
      .finally(() => this.flights.delete(key));
    result.catch(() => {}); // callers tell of it, where there are any
    flight = { result, waiting: 0 };
    this.flights.set(key, flight);
    return flight;
  }

  private async run(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.options;
    const timing = new AbortController();
    const timer = setTimeout(() => {
      timing.abort(new StillageError("deadline", `the fetch from the origin took longer than ${timeoutMs} ms`));
    }, timeoutMs);
    this.running++;
    try {
      const signal = AbortSignal.any([timing.signal, this.closing.signal]);
      signal.throwIfAborted();
      return await work(signal);
    } finally {
      this.running--;
      clearTimeout(timer);
    }
  }
}
