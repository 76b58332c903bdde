import type { BufferPool } from "../../base/buffer-pool.ts";
import { StillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Directories } from "./directories.ts";
import type { FaultPoints } from "./faults.ts";
import type { OpenPacks } from "./open-packs.ts";
import type { ReadBuffers } from "./read-buffers.ts";
import type { ReadPace } from "./read-pace.ts";
import type { Space } from "./space.ts";

/** Throws `unavailable` once the store is being closed. */
export function checkOpen(context: DiskContext): void {
  if (context.closed) throw new StillageError("unavailable", "the store is being closed");
}

/** What all tenants of one store share. */
export interface DiskContext {
  /** Whether what is acknowledged is on the disk, not only on its way. */
  readonly durable: boolean;
  /** A pack of this size, in bytes, is appended to no more. */
  readonly packBytes: number;
  /** Whether large blobs, and small ones in bulk, are written past the page cache. */
  readonly direct: boolean;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  readonly faults: FaultPoints;
  readonly space: Space;
  readonly directories: Directories;
  readonly openPacks: OpenPacks;
  readonly pace: ReadPace;
  readonly readBuffers: ReadBuffers;
  readonly staging: BufferPool;
  readonly largePieces: BufferPool;
  readonly smallPieces: BufferPool;
  /** Two random 32-bit numbers for hash tables. */
  readonly seeds: readonly [number, number];
  /** How much later than noted, in seconds, the last use of a blob may be. */
  readonly useResolution: number;
  /** Uses of a blob that are closer than this, in seconds, are noted as one. */
  readonly noteResolution: number;
  /** What goes on by itself and has to end before the directory is another's. */
  readonly underWay: Set<Promise<unknown>>;
  /** True once the store is being closed: nothing more is written then, as another process may have the directory next. */
  closed: boolean;
  /** Bytes that uploads of small blobs hold in memory. */
  gathered: number;
  /** Counts blobs that were removed, for whatever reason. */
  removals: number;
  /** The memory that `removals` is in, for other threads: an Int32. */
  readonly removalCount: SharedArrayBuffer;
}
