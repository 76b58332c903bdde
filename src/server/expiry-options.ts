import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Trace } from "../base/trace.ts";
import type { OpenCache } from "../cache/open-cache.ts";
import type { Limit } from "../expiry/limits.ts";
import { roomOf } from "../expiry/room.ts";
import { Sweeper } from "../expiry/sweeper.ts";

/** What decides what goes. */
export interface ExpiryOptions {
  /** Bytes. */
  readonly quota: number | undefined;
  /** Percents of the quota. */
  readonly highMark: number;
  readonly lowMark: number;
  /** Milliseconds. */
  readonly leaseMs: number;
  readonly maxAgeMs: number | undefined;
  readonly limits: readonly Limit[];
}

export interface SweeperTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly trace: Trace;
}

/** What looks after a store, once it is started; the store tells it when there is little room. */
export function openSweeper(options: ExpiryOptions, { store, refAdmin }: OpenCache, tools: SweeperTools): Sweeper {
  const { quota, highMark, lowMark, leaseMs, maxAgeMs, limits } = options;
  const room = roomOf(quota, highMark, lowMark);
  const settings = { lease: leaseMs, maxAge: maxAgeMs, limits };
  const sweeper = new Sweeper({ blobs: store, refs: refAdmin, settings, room, ...tools });
  if (room !== undefined) store.watchRoom(room.high, (wanted) => sweeper.pressed(wanted));
  return sweeper;
}
