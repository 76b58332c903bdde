/** A value now, or a promise of it: hot paths that need not wait do not pay for a promise. */
export type MaybePromise<T> = T | Promise<T>;

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** Waits for the end of both, and throws what the first one fails with; the second never fails. */
export async function bothSettled(first: void | Promise<void>, second: Promise<unknown>): Promise<void> {
  const [done] = await Promise.allSettled([first, second]);
  if (done.status === "rejected") throw done.reason;
}

/** Applies `next` at once where the value is there, and later where it is not. */
export function then<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}
