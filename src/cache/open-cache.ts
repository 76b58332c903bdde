import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { closeAll } from "../base/close-all.ts";
import type { Log } from "../base/log.ts";
import { clearBackupLinks } from "../store/disk/backup-links.ts";
import type { FaultPoints } from "../store/disk/faults.ts";
import { type DiskStore, openDiskStore } from "../store/disk/open-store.ts";
import type { RefAdmin } from "../store/ref-admin.ts";
import type { RefStore } from "../store/ref-store.ts";
import { SqliteRefStore } from "../store/sqlite/sqlite-ref-store.ts";

/** How long what a killed backup has left may keep the room of what is removed, in milliseconds. */
const clearEveryMs = 3_600_000;

export interface CacheOptions {
  /** Bytes; `undefined`: no limit but the disk's. */
  readonly quota: number | undefined;
  readonly durability: "on" | "off";
  /** How long what was used stays, in milliseconds: uses are noted as exactly as that needs. */
  readonly leaseMs?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults?: FaultPoints;
}

/** What a directory holds: blobs and the names that keep them. */
export interface OpenCache {
  readonly store: DiskStore;
  readonly refs: RefStore;
  /** The same refs, for whoever keeps the store in order: no door gets this. */
  readonly refAdmin: RefAdmin;
  close(): Promise<void>;
}

/** Opens the two halves of a directory for this process alone. Errors: as `openDiskStore` and `SqliteRefStore` have them; nothing stays open then. */
export async function openCache(directory: string, options: CacheOptions): Promise<OpenCache> {
  const { durability, clock, log, quota, leaseMs, faults } = options;
  const store = await openDiskStore(directory, {
    durability,
    clock,
    log,
    ...(quota === undefined ? {} : { quota }),
    ...(leaseMs === undefined ? {} : { leaseSeconds: leaseMs / 1000 }),
    ...(faults === undefined ? {} : { faults }),
  });
  try {
    const clear = (): Promise<void> =>
      clearBackupLinks(directory).catch((error: unknown) => {
        log.warn({ error }, "cannot delete what a backup has left, which keeps room");
      });
    await clear();
    const refs = new SqliteRefStore({ file: join(directory, "refs.sqlite"), durability, clock, log });
    const clearing = setInterval(clear, clearEveryMs).unref();
    const close = (): Promise<void> => {
      clearInterval(clearing);
      return closeAll([() => refs.close(), () => store.close()]);
    };
    return { store, refs, refAdmin: refs, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}
