import { firstError, StillageError } from "../../base/errors.ts";

/** Awaits what a signal may stop. Errors: `cancelled`, with the signal's reason as its cause, for whatever it fails with once the signal has fired; else its own. */
export async function stoppable<T>(signal: AbortSignal, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    throw cancelledOr(error, signal, doing);
  }
}

/** The same of what is given one by one. */
export async function* stoppableItems<T>(
  signal: AbortSignal,
  doing: string,
  items: () => AsyncIterable<T>,
): AsyncGenerator<T, void> {
  try {
    signal.throwIfAborted();
    yield* items();
  } catch (error) {
    throw cancelledOr(error, signal, doing);
  }
}

/** The error of a call whose signal was aborted. */
export function cancelled(signal: AbortSignal, doing: string): StillageError {
  return new StillageError("cancelled", `${doing} was stopped`, { cause: signal.reason });
}

function cancelledOr(caught: unknown, signal: AbortSignal, doing: string): unknown {
  const error = firstError(caught);
  if (!signal.aborted || (error instanceof StillageError && error.code === "cancelled")) return error;
  return cancelled(signal, doing);
}
