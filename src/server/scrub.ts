import { Counter, Gauge, type Registry } from "prom-client";
import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Scrubber, type ScrubCounts } from "../check/scrubber.ts";
import type { DiskStore } from "../store/disk/open-store.ts";

/** Times in milliseconds, the rate in bytes a second; `scrubEveryMs` is `undefined` where nothing is read again. */
export interface ScrubSettings {
  readonly store: string;
  readonly scrubEveryMs: number | undefined;
  readonly scrubRate: number;
}

/** Starts to read the store again, where that is wanted. */
export function openScrubber(settings: ScrubSettings, store: DiskStore, log: Log): Scrubber | undefined {
  const { store: directory, scrubEveryMs: everyMs, scrubRate: maxRate } = settings;
  if (everyMs === undefined) return undefined;
  return new Scrubber({ directory, shelves: () => store.shelves(), everyMs, maxRate, clock: systemClock, log });
}

/** What `/metrics` says of it. */
export function scrubMetrics(registry: Registry, scrubber: { counts(): ScrubCounts }): void {
  const counter = (name: string, help: string, value: (counts: ScrubCounts) => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value(scrubber.counts()));
      },
    });
  };
  const gauge = (name: string, help: string, value: (counts: ScrubCounts) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value(scrubber.counts()));
      },
    });
  };
  counter("stillage_scrub_read_bytes_total", "Bytes read to be compared with their digests", ({ bytes }) => bytes);
  counter("stillage_scrub_blobs_total", "Blobs compared with their digests", ({ blobs }) => blobs);
  counter("stillage_scrub_rotten_total", "Blobs that were broken on the disk and dropped", ({ rotten }) => rotten);
  counter("stillage_scrub_read_errors_total", "Reads of blobs that the disk refused", ({ readErrors }) => readErrors);
  counter(
    "stillage_scrub_damaged_indexes_total",
    "Index files that did not verify",
    ({ damagedIndexes }) => damagedIndexes,
  );
  gauge("stillage_scrub_progress_ratio", "The part of the current round that is done", ({ progress }) => progress);
  gauge(
    "stillage_scrub_last_end_timestamp_seconds",
    "When the last round ended; 0 before the first",
    ({ lastEnded }) => (lastEnded ?? 0) / 1000,
  );
}
