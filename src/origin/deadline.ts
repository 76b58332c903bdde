import { StillageError } from "../base/errors.ts";

/** A signal that is aborted after `ms` milliseconds, with `deadline` and what was too slow; never once it is disposed of. */
export function deadlineAfter(ms: number, what: string): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const late = (): void => controller.abort(new StillageError("deadline", what));
  const timer = setTimeout(late, ms);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
