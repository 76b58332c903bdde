import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackupProgress } from "../../src/backup/backup-progress.ts";
import { type BackedUp, type BackupStep, backupStore } from "../../src/backup/backup-store.ts";
import { type Restored, restoreStore } from "../../src/backup/restore-store.ts";
import { type Digest, digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import type { MaybePromise } from "../../src/base/maybe-promise.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import { type DiskStore, openDiskStore } from "../../src/store/disk/open-store.ts";
import { SqliteRefStore } from "../../src/store/sqlite/sqlite-ref-store.ts";

export const signal = new AbortController().signal;
export const options = { durability: "on", clock: Date.now, log: silentLog } as const;
export const small = (i: number): Buffer => Buffer.from(`small blob ${i}`);
export const large = (i: number): Buffer => Buffer.alloc((1 << 20) + 1000, `large ${i}`);
export const of = (bytes: Buffer): Digest => digestOf(sha256, bytes);

/** A store of some blobs and refs, which stays open, and the directories beside it. */
export class Place implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "stillage-backup-"));
  readonly store = join(this.folder, "store");
  readonly target = join(this.folder, "backup");
  blobs!: DiskStore;
  refs!: SqliteRefStore;

  static async open(): Promise<Place> {
    const place = new Place();
    await place.start();
    await place.add(1, 2);
    return place;
  }

  async start(): Promise<void> {
    this.blobs = await openDiskStore(this.store, options);
    this.refs = new SqliteRefStore({ file: join(this.store, "refs.sqlite"), ...options });
  }

  /** After it, index files list what there is. */
  async stop(): Promise<void> {
    await this.refs.close();
    await this.blobs.close();
  }

  /** Stores a small and a large blob for each number, and a ref to both. */
  async add(...numbers: number[]): Promise<void> {
    for (const i of numbers) {
      const both = [small(i), large(i)];
      for (const bytes of both) await this.blobs.tenant("team/os").put(of(bytes), bytes);
      const roots = both.map((bytes) => ({ walk: "blob", digest: of(bytes) }) as const);
      const name = { space: "asset", instance: "team/os", name: `${i}` } as const;
      await this.refs.put([{ ...name, message: small(i), roots, stored: i, expires: undefined }]);
    }
  }

  async remove(i: number): Promise<void> {
    await this.refs.remove({ space: "asset", instance: "team/os", name: `${i}` });
    for (const bytes of [small(i), large(i)]) await this.blobs.tenant("team/os").remove(of(bytes));
  }

  backup(reached: (step: BackupStep) => MaybePromise<void> = () => {}): Promise<BackedUp> {
    const { store, target } = this;
    const rest = { bytesPerSecond: Number.POSITIVE_INFINITY, signal, progress: new BackupProgress() };
    return backupStore({ store, target, ...rest, reached });
  }

  restore(name: string, quick = false): Promise<Restored> {
    const store = join(this.folder, name);
    return restoreStore({ backup: this.target, store, quick, signal, progress: new BackupProgress() });
  }

  /** The path of the only file in a folder of the shelf that ends so. */
  find(root: string, ending: string): string {
    const shelf = join(root, "tenants/team%2Fos/sha256");
    const name = readdirSync(shelf, { recursive: true, encoding: "utf8" }).find((each) => each.endsWith(ending));
    return join(shelf, name ?? "absent");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** The numbers of those refs of a restored store whose blobs are all there and whole. */
export async function wholeRefs(directory: string, numbers: readonly number[]): Promise<number[]> {
  const blobs = await openDiskStore(directory, options);
  const refs = new SqliteRefStore({ file: join(directory, "refs.sqlite"), ...options });
  const whole: number[] = [];
  for (const i of numbers) {
    if (refs.get({ space: "asset", instance: "team/os", name: `${i}` }) === undefined) continue;
    const tenant = blobs.tenant("team/os");
    const present = [small(i), large(i)].every((bytes) => tenant.missing(DigestList.of(of(bytes))).length === 0);
    if (!present) continue;
    for (const bytes of [small(i), large(i)]) assert.deepEqual(Buffer.from(await read(tenant, of(bytes))), bytes);
    whole.push(i);
  }
  await refs.close();
  await blobs.close();
  return whole;
}
