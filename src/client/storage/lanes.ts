import { cancelled } from "../connection/rpc-failure.ts";

/** Work beside one another, at most so many at a time; who comes later waits. */
export class Lanes {
  private free: number;
  private readonly waiting = new Set<() => void>();

  constructor(width: number) {
    this.free = width;
  }

  /** Does the work when there is a free lane. Errors: those of `work`, and the signal's reason while it waits. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.free === 0) await this.turn(signal);
    else this.free--;
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      if (next === undefined) this.free++;
      else next();
    }
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.waiting.delete(go);
        signal.removeEventListener("abort", stop);
      };
      const go = (): void => {
        end();
        resolve();
      };
      const stop = (): void => {
        end();
        reject(signal.reason);
      };
      this.waiting.add(go);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}

/** Does all of the work, in lanes. The first failure ends the rest by its signal, and is thrown once all have ended; `cancelled` where it was the caller's signal. */
export async function doAll<T>(
  items: readonly T[],
  lanes: Lanes,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (items.length === 0) return;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort(error);
  };
  // Caught within the lane, so that it is free only once the others know.
  const one = (item: T): Promise<void> => lanes.run(both, () => work(item, both).catch(fail));
  await Promise.all(items.map((item) => one(item).catch(fail)));
  if (signal.aborted) throw cancelled(signal);
  if (failure !== undefined) throw failure.error;
}
