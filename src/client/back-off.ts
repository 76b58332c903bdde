import type { ErrorCode, StillageError } from "../base/errors.ts";
import { AwayError } from "./connection/away-error.ts";

const firstMs = 500;
const longestMs = 30_000;
/** However long a server asks to be left alone: a run that has nothing else to do waits for this. */
const longestAskedMs = 60_000;

/** Whether it was no try, and one can be waited for: not for a server that is away for long. */
export const isNoTry = (error: StillageError): boolean =>
  error instanceof AwayError && (error.retryAfterMs ?? 0) <= longestAskedMs;

/** What the same call may not come to again; whatever else fails is so however often it is tried. */
const passing: ReadonlySet<ErrorCode> = new Set(["unavailable", "deadline", "aborted", "corrupt"]);

/** Whether to try again. A server that is away for long is asked by a later run. */
export const isPassing = (error: StillageError): boolean => passing.has(error.code) && !(error instanceof AwayError);

/** How long to wait before the try after `attempt` of them, in milliseconds; `random` gives 0 to 1. What the server asks for counts where it is more, up to a minute. */
export function backOffMs(attempt: number, error: StillageError, random: () => number): number {
  const whole = Math.min(longestMs, firstMs * 2 ** (attempt - 1));
  return Math.max(Math.min(error.retryAfterMs ?? 0, longestAskedMs), Math.round(whole * (0.5 + random() / 2)));
}
