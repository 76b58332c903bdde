import { type ErrorCode, StillageError } from "../../base/errors.ts";
import { longestAskedMs } from "../back-off.ts";

/** Nobody was asked, because who would be is known to be away for `retryAfterMs`. */
export class AwayError extends StillageError {
  constructor(name: string, retryAfterMs: number) {
    super("unavailable", `${name} has stopped answering`, { retryAfterMs });
  }
}

/** Whether it was no try, and one can be waited for: not for a server that is away for long. */
export const isNoTry = (error: StillageError): boolean =>
  error instanceof AwayError && (error.retryAfterMs ?? 0) <= longestAskedMs;

/** What the same call may not come to again; whatever else fails is so however often it is tried. */
const passing: ReadonlySet<ErrorCode> = new Set(["unavailable", "deadline", "aborted", "corrupt"]);

export const isPassing = ({ code }: StillageError): boolean => passing.has(code);
