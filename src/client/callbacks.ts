import { isPromise } from "../base/maybe-promise.ts";

/**
 * What a caller is told by functions of its own. They are called in the middle of work, from timers and from events, where nobody is who could catch what one throws: it would end the process. So the first error of one
 * stops the work, and is the error of the call; from then on nothing is told.
 */
export class Callbacks {
  private readonly stop = new AbortController();
  private failure: { readonly error: unknown } | undefined;
  private over = false;

  /** Fires when one has thrown. */
  get signal(): AbortSignal {
    return this.stop.signal;
  }

  /** The same that never throws. One that is asynchronous fails like any other, for as long as the call lasts. */
  safe<A extends unknown[]>(tell: ((...args: A) => void) | undefined): (...args: A) => void {
    return (...args) => {
      if (this.failure !== undefined) return;
      try {
        const told: unknown = tell?.(...args);
        if (isPromise(told)) told.catch((error: unknown) => this.fail(error));
      } catch (error) {
        this.fail(error);
      }
    };
  }

  /** Does what tells: a call. Errors: that of a function that threw, and otherwise those of `work`. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const [done] = await Promise.allSettled([(async () => work())()]);
    this.over = true;
    if (this.failure !== undefined) throw this.failure.error;
    if (done.status === "rejected") throw done.reason;
    return done.value;
  }

  private fail(error: unknown): void {
    // Nobody would hear of it: as good as if we had not looked.
    if (this.over) throw error;
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.stop.abort(error);
  }
}
