import { StillageError } from "../../base/errors.ts";

/** Nobody was asked, because who would be is known to be away, for `retryAfterMs` yet. */
export class AwayError extends StillageError {
  constructor(name: string, retryAfterMs: number) {
    super("unavailable", `${name} has stopped answering, and is left out for a while`, { retryAfterMs });
  }
}
