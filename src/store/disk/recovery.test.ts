import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { silentLog } from "../../base/log.ts";
import { listOf, read } from "../blob-store.contract.ts";
import type { FaultPoint } from "./faults.ts";
import { writtenBlockRecords } from "./index-format.ts";
import { type DiskStore, openDiskStore } from "./open-store.ts";

interface Blob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

const blobOf = (bytes: Buffer): Blob => ({ digest: digestOf(sha256, bytes), bytes });

const put = (disk: DiskStore, blobs: readonly Blob[]): Promise<unknown> =>
  Promise.all(blobs.map(({ digest, bytes }) => disk.tenant("").put(digest, bytes)));

const missing = (disk: DiskStore, blobs: readonly Blob[]): number =>
  disk.tenant("").missing(listOf(blobs.map(({ digest }) => digest))).length;

/** Removes blobs together, as expiry does. */
async function removeAll(disk: DiskStore, blobs: readonly Blob[]): Promise<void> {
  const census = disk.census();
  const [shelf] = census.tenants[0]?.shelves ?? [];
  const numbers = blobs.map(({ digest }) => shelf?.find(listOf([digest]).words, 0) as number);
  await shelf?.remove(numbers, () => true);
  census.close();
}

describe("a store that is opened after a crash", () => {
  /** Runs `test` in a folder; what `kill` copies of it is what a kill at that moment leaves. */
  async function within(test: (path: string, kill: () => string) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "store-"));
    const [path, killed] = [join(folder, "store"), join(folder, "killed")];
    try {
      await test(path, () => {
        cpSync(path, killed, { recursive: true });
        return killed;
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  const open = (path: string, reach: (point: FaultPoint) => void = () => {}): Promise<DiskStore> =>
    openDiskStore(path, { durability: "on", clock: systemClock, log: silentLog, faults: { reach } });

  it("has all blobs where only the first block of many had been written to an index file", () =>
    within(async (path, kill) => {
      let killed = "";
      const disk = await open(path, (point) => {
        if (point === "index half written" && killed === "") killed = kill();
      });
      const blobs = Array.from({ length: writtenBlockRecords + 100 }, (_, i) => blobOf(Buffer.from(`${i}`)));
      await put(disk, blobs);
      await disk.close();
      assert.notEqual(killed, "");
      for (let start = 0; start < 3; start++) {
        const again = await open(killed);
        assert.equal(missing(again, blobs), 0, `start ${start}`);
        assert.equal(again.usage().blobs, blobs.length);
        assert.equal(again.usage().dead, 0);
        await again.close();
      }
    }));

  it("keeps removed what was on its way out while the journal of large blobs was written anew", () =>
    within(async (path, kill) => {
      let saving: Promise<void> | undefined;
      const disk = await open(path, (point) => {
        if (point === "removal journaled") saving ??= disk.shelves()[0]?.shelf.files.saveUse();
      });
      const blobs = Array.from({ length: 17 }, () => blobOf(Buffer.concat([randomBytes(16), Buffer.alloc(1 << 20)])));
      await put(disk, blobs);
      const index = disk.shelves()[0]?.shelf.index;
      assert.ok(index);
      const { usedAt } = index;
      index.usedAt = (...at) => {
        for (const until = performance.now() + 2; performance.now() < until; ); // each record takes a slice of its own
        return usedAt.apply(index, at);
      };
      await removeAll(disk, blobs.slice(1));
      await saving;
      const again = await open(kill());
      assert.equal(missing(again, blobs.slice(1)), 16);
      assert.deepEqual(await read(again.tenant(""), (blobs[0] as Blob).digest), (blobs[0] as Blob).bytes);
      assert.equal(again.usage().blobs, 1);
      await again.close();
      await disk.close();
    }));

  it("deletes the file of a removed blob that is still, or again, in its place", () =>
    within(async (path) => {
      const [first, second] = [1_500_000, 1_600_000].map((size) => blobOf(randomBytes(size))) as [Blob, Blob];
      const disk = await open(path);
      await put(disk, [first, second]);
      const file = join(path, "tenants/@/sha256/files", first.digest.hash.slice(0, 2), `${first.digest.hash}.1`);
      const link = join(dirname(path), "link");
      linkSync(existsSync(file) ? file : file.replace(/1$/, "2"), link);
      await disk.tenant("").remove(first.digest);
      await disk.close();
      mkdirSync(dirname(file), { recursive: true });
      linkSync(link, file); // as a power cut does that undoes the change of its name
      const again = await open(path);
      assert.equal(existsSync(file), false);
      assert.equal(missing(again, [first, second]), 1);
      assert.ok(again.usage().bytes < 1_700_000);
      await again.close();
    }));

  it("lists all files where the journal of large blobs is gone, and writes a whole one", () =>
    within(async (path) => {
      const blobs = Array.from({ length: 3 }, () => blobOf(randomBytes(1_100_000)));
      const disk = await open(path);
      await put(disk, blobs);
      await disk.close();
      const journal = join(path, "tenants/@/sha256/files.idx");
      rmSync(journal);
      for (let start = 0; start < 2; start++) {
        const again = await open(path);
        assert.equal(missing(again, blobs), 0);
        const [more] = [blobOf(randomBytes(1_100_000))];
        await put(again, [more as Blob]);
        blobs.push(more as Blob);
        await again.close();
        assert.equal(existsSync(`${journal}.new`), false);
        assert.ok(statSync(journal).size > 0);
      }
    }));

  it("goes on with a journal that was damaged when all large blobs had been removed", () =>
    within(async (path) => {
      const blobs = Array.from({ length: 3 }, () => blobOf(randomBytes(1_100_000))) as [Blob, Blob, Blob];
      const disk = await open(path);
      await put(disk, blobs);
      await removeAll(disk, blobs);
      await disk.close();
      appendFileSync(join(path, "tenants/@/sha256/files.idx"), "rot");
      for (let start = 0; start < 3; start++) {
        const again = await open(path);
        assert.equal(missing(again, blobs), 3 - start);
        await put(again, blobs.slice(start, start + 1));
        await again.close();
      }
    }));
});
