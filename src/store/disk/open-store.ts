import { getRandomValues } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { BufferPool } from "../../base/buffer-pool.ts";
import type { Clock } from "../../base/clock.ts";
import { closeAll } from "../../base/close-all.ts";
import { fromFileSystem } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { StoreCensus, TenantCensus } from "../blob-census.ts";
import type { BlobStore, BlobStoreAdmin, StoreUsage, TenantUsage } from "../blob-store.ts";
import { noteResolution, useResolution } from "../use-resolution.ts";
import { Compaction, type Compactions } from "./compaction.ts";
import { alignedBuffer, takesDirectWrites } from "./direct-io.ts";
import { Directories, makeRoot } from "./directories.ts";
import { lockDirectory } from "./directory-lock.ts";
import type { DiskContext } from "./disk-context.ts";
import { DiskTenant } from "./disk-tenant.ts";
import { type FaultPoints, noFaults } from "./faults.ts";
import { checkStamp, stamp } from "./format-stamp.ts";
import { OpenPacks } from "./open-packs.ts";
import { packBytesFor } from "./pack.ts";
import { stagingBytes } from "./pack-writer.ts";
import { largePieceBytes, smallPieceBytes } from "./piece-writer.ts";
import { ReadBuffers } from "./read-buffers.ts";
import { ReadPace } from "./read-pace.ts";
import { SharedRun } from "./shared-run.ts";
import type { Shelf } from "./shelf.ts";
import type { ShelfCensus } from "./shelf-census.ts";
import { type Compacted, reclaimable, type ShelfCompaction } from "./shelf-compaction.ts";
import { Space } from "./space.ts";
import { directoryOfTenant, tenantOfDirectory } from "./tenant-name.ts";

/** Idle buffers that are kept for the next write: 8 MiB for packs, 10 MiB for files. */
const keptStaging = 2;
const keptPieces = 16;

/** The last use of blobs is written down after as many seconds as the true one may be later, which is what a crash may cost of it; but not more often than this. */
const leastSavingSeconds = 10;

export interface DiskStoreOptions {
  /** A hard limit on the bytes of all tenants together. */
  readonly quota?: number;
  /** "off": what is acknowledged may be lost when the machine stops, or a large blob when the process does; what remains is whole all the same. */
  readonly durability: "on" | "off";
  /** How long a blob stays after it was used: its uses are noted as exactly as that needs, to a tenth of it. */
  readonly leaseSeconds?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults?: FaultPoints;
}

/** The blobs of one tenant and function, and where they lie. */
export interface OpenShelf {
  readonly instance: string;
  readonly directory: string;
  readonly shelf: Shelf;
}

export interface DiskUsage extends StoreUsage {
  /** Of the dead bytes those that `compact` gives back. */
  readonly reclaimable: number;
}

/** A store in a directory (docs/STORE.md). */
export interface DiskStore extends BlobStoreAdmin {
  usage(): DiskUsage;
  /** The blobs of an instance name, which no other name leads to. The same object each time. Errors: `invalid` for a name that is too long. */
  tenant(instanceName: string): DiskTenant & BlobStore;
  /** What there is now, for whoever looks after it. */
  shelves(): OpenShelf[];
  /** What each tenant has, by its instance name. */
  usageByTenant(): ReadonlyMap<string, TenantUsage>;
  /**
   * `onPressure` is called when what is used passes `highMark` bytes (at once where it has), once until it has come back below, and each time that something does not
   * fit, with the bytes that this needs; in the midst of an upload, which waits where `makingRoom` has been called before this returns.
   */
  watchRoom(highMark: number, onPressure: (wanted: number) => void): void;
  /** Uploads that do not fit wait for a bounded time from now on instead of being refused, until whoever makes room disposes of this. */
  makingRoom(): Disposable;
  /** Says how many bytes others have on the disk, which the quota limits, too. */
  setOtherBytes(bytes: number): void;
  /**
   * Gives the room of removed blobs in packs back to the disk until little of what is used is dead, or `signal` is aborted. Uploads that do not fit
   * wait meanwhile. One at a time: whoever calls again gets the one that runs. Errors: those of the file system, for which nothing is lost.
   */
  compact(signal?: AbortSignal): Promise<Compacted>;
  /** What that has come to since the store was opened. */
  compactions(): Compactions;
  /** All that there is, for whoever decides what stays. The caller closes it. */
  census(): StoreCensus;
  /** What `removals` says, for other threads: an Int32. */
  readonly removalCount: SharedArrayBuffer;
}

/**
 * Opens a store, or makes one of an empty or absent directory, for this process alone.
 * Errors: `failed-precondition` with one sentence where another process has it, or it is something else, or of an unknown format.
 */
export async function openDiskStore(dir: string, options: DiskStoreOptions): Promise<DiskStore> {
  const directory = resolve(dir);
  await makeRoot(directory).catch((error: unknown) => {
    throw fromFileSystem(error, `cannot make the store's directory ${directory}`);
  });
  checkStamp(directory);
  const lock = lockDirectory(directory);
  try {
    checkStamp(directory);
    await stamp(directory);
    const context = createContext(directory, options);
    const tenants = new Tenants(join(directory, "tenants"), context);
    const opened = context.now();
    await tenants.load();
    const lastUse = tenants.lastUse(opened); // now, before anybody uses anything
    const saveEvery = Math.max(leastSavingSeconds, context.useResolution);
    const compaction = new Compaction(() => tenants.compactions(), context);
    const saving = setInterval(() => void tenants.saveUse(), saveEvery * 1000).unref();
    return {
      tenant: (name) => tenants.get(name),
      shelves: () => tenants.shelves(),
      usage: () => tenants.usage(),
      usageByTenant: () => tenants.usageByTenant(),
      watchRoom: (highMark, onPressure) => context.space.watch(highMark, onPressure),
      makingRoom: () => context.space.makingRoom(),
      setOtherBytes: (bytes) => context.space.setOthers(bytes),
      compact: (signal) => compaction.run(signal),
      compactions: () => compaction.sum(),
      census: () => ({ ...tenants.census(), lastUse, unsaved: saveEvery }),
      removals: () => context.removals,
      removalCount: context.removalCount,
      close: async () => {
        clearInterval(saving);
        context.closed = true;
        context.space.close();
        try {
          await Promise.allSettled(context.underWay);
          await tenants.saveUse();
          await tenants.close();
        } finally {
          context.openPacks.closeAll();
          lock.release();
        }
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

class Tenants {
  private readonly directory: string;
  private readonly context: DiskContext;
  private readonly tenants = new Map<string, DiskTenant>();
  private readonly saves = new SharedRun(() => this.saveUseNow());

  constructor(directory: string, context: DiskContext) {
    this.directory = directory;
    this.context = context;
  }

  async load(): Promise<void> {
    for (const entry of existsSync(this.directory) ? readdirSync(this.directory) : []) {
      const name = tenantOfDirectory(entry);
      if (name !== undefined) await this.get(name).load();
    }
  }

  get(name: string): DiskTenant {
    let tenant = this.tenants.get(name);
    if (tenant === undefined) {
      tenant = new DiskTenant(join(this.directory, directoryOfTenant(name)), this.context);
      this.tenants.set(name, tenant);
    }
    return tenant;
  }

  shelves(): OpenShelf[] {
    const found: OpenShelf[] = [];
    for (const [instance, tenant] of this.tenants) {
      for (const opened of tenant.opened()) found.push({ instance, ...opened });
    }
    return found;
  }

  /** Writes down when blobs were last used. A failure, which the log tells, costs knowledge of that, no more. */
  saveUse(): Promise<void> {
    return this.saves.ask();
  }

  usage(): DiskUsage {
    const { used, others, quota } = this.context.space;
    let [blobs, live, dead] = [0, 0, 0];
    for (const usage of this.usageByTenant().values()) {
      blobs += usage.blobs;
      live += usage.live;
      dead += usage.dead;
    }
    return { blobs, bytes: used, live, dead, reclaimable: reclaimable(dead, used - others), others, quota };
  }

  usageByTenant(): Map<string, TenantUsage> {
    return new Map([...this.tenants].map(([name, tenant]) => [name, tenant.usage()]));
  }

  compactions(): ShelfCompaction[] {
    return [...this.tenants.values()].flatMap((tenant) => tenant.compactions());
  }

  /** The latest use of a blob that is noted of those before a time, in seconds since 1970. */
  lastUse(before: number): number | undefined {
    const uses = this.shelves().map(({ shelf }) => shelf.index.lastUse(before) ?? -1);
    const latest = Math.max(-1, ...uses);
    return latest < 0 ? undefined : latest;
  }

  census(): Pick<StoreCensus, "tenants" | "resolution" | "close"> {
    const held: ShelfCensus[] = [];
    const tenants = [...this.tenants].map(([instance, tenant]): TenantCensus => {
      const shelves = tenant.census();
      held.push(...shelves);
      return { instance, shelves, reader: tenant.quiet };
    });
    const close = (): void => {
      for (const each of held.splice(0)) each.release();
    };
    return { tenants, resolution: this.context.useResolution, close };
  }

  private async saveUseNow(): Promise<void> {
    for (const tenant of this.tenants.values()) await tenant.saveUse();
  }

  async close(): Promise<void> {
    await closeAll([...this.tenants.values()].map((tenant) => () => tenant.close()));
  }
}

function createContext(directory: string, options: DiskStoreOptions): DiskContext {
  const durable = options.durability === "on";
  const seeds = getRandomValues(new Uint32Array(2));
  const removals = new Int32Array(new SharedArrayBuffer(4));
  return {
    durable,
    packBytes: packBytesFor(options.quota),
    direct: durable && takesDirectWrites(directory),
    now: () => Math.floor(options.clock() / 1000),
    log: options.log,
    faults: options.faults ?? noFaults,
    space: new Space(directory, options.quota, options.log),
    directories: new Directories(directory),
    openPacks: new OpenPacks(),
    pace: new ReadPace(() => performance.now()),
    readBuffers: new ReadBuffers(),
    staging: new BufferPool(stagingBytes, keptStaging, alignedBuffer),
    largePieces: new BufferPool(largePieceBytes, keptPieces, alignedBuffer),
    smallPieces: new BufferPool(smallPieceBytes, keptPieces, alignedBuffer),
    seeds: [seeds[0] as number, seeds[1] as number],
    useResolution: useResolution(options.leaseSeconds),
    noteResolution: noteResolution(options.leaseSeconds),
    underWay: new Set(),
    closed: false,
    gathered: 0,
    removalCount: removals.buffer,
    get removals() {
      return Atomics.load(removals, 0);
    },
    set removals(count) {
      Atomics.store(removals, 0, count);
    },
  };
}
