import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Scrubber } from "../check/scrubber.ts";
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
