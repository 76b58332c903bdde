import { StillageError } from "../base/errors.ts";
import { quote } from "./quote.ts";

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** What a timer of Node can wait for is bounded by 2^31 ms; nobody waits for a day. */
const maxMs = 86_400_000;

/** Reads `30s`, `2m`, `1h`, `500ms` or `0` as milliseconds. Errors: `invalid`. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const [, digits, unit = ""] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  if (digits === undefined)
    throw new StillageError("invalid", `${quote(text)} is not a duration; write it as 30s, 2m or 500ms`);
  const ms = Number(digits) * (units[unit] ?? 1);
  if (ms > maxMs) throw new StillageError("invalid", `${quote(text)} is too long; a day (24h) is the most`);
  return ms;
}

/** The duration in the largest unit in which it is a whole number; {@link parseDuration} reads it back. */
export function formatDuration(ms: number): string {
  const [unit, each] = Object.entries(units).find(([, factor]) => ms % factor === 0 && ms > 0) ?? ["ms", 1];
  return ms === 0 ? "0" : `${ms / each}${unit}`;
}
