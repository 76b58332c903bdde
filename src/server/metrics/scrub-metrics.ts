import type { ScrubCounts } from "../../check/scrubber.ts";
import { type Family, single } from "./family.ts";

const none: ScrubCounts = {
  bytes: 0,
  blobs: 0,
  rotten: 0,
  readErrors: 0,
  damagedIndexes: 0,
  progress: 0,
  lastEnded: undefined,
};

/** What was read again and compared with its digests; zeros where nothing is. `everyMs` is the time in which all is to be read. */
export function scrubFamilies(source: () => ScrubCounts | undefined, everyMs: number | undefined): Family[] {
  const family = (type: "counter" | "gauge", name: string, help: string, value: (counts: ScrubCounts) => number) =>
    single(type, `stillage_scrub_${name}`, help, () => value(source() ?? none));
  return [
    family("gauge", "enabled", "1 where stored blobs are read again", () => Number(source() !== undefined)),
    family(
      "gauge",
      "interval_seconds",
      "The time in which all is read again (scrub-every)",
      () => (everyMs ?? 0) / 1000,
    ),
    family("counter", "read_bytes_total", "Bytes read to be compared with their digests", ({ bytes }) => bytes),
    family("counter", "blobs_total", "Blobs compared with their digests", ({ blobs }) => blobs),
    family("counter", "rotten_total", "Blobs that were broken on the disk and dropped", ({ rotten }) => rotten),
    family("counter", "read_errors_total", "Reads of blobs that the disk refused", ({ readErrors }) => readErrors),
    family(
      "counter",
      "damaged_indexes_total",
      "Index files that did not verify",
      ({ damagedIndexes }) => damagedIndexes,
    ),
    family("gauge", "progress_ratio", "The part of the current round that is done", ({ progress }) => progress),
    family(
      "gauge",
      "last_end_timestamp_seconds",
      "When the last round ended, in seconds since 1970; 0 before the first",
      ({ lastEnded }) => (lastEnded ?? 0) / 1000,
    ),
  ];
}
