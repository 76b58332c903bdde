import { systemClock } from "../base/clock.ts";

/** Clocks that differ by less are right: uses that were noted a little late, or by a clock that was set since. */
export const clockSlackMs = 600_000;

/**
 * The time, in milliseconds since 1970, beyond which a use that is noted was noted by a clock that went ahead: the next use puts it right. It is the machine's own clock that
 * says so, as a store may be given one that tells of other times, those of what is imported for instance.
 */
export function notedAhead(): number {
  return systemClock() + clockSlackMs;
}
