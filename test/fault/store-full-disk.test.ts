import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { statfsSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import type { DiskTenant } from "../../src/store/disk/disk-tenant.ts";
import { openDiskStore } from "../../src/store/disk/open-store.ts";
import { blobOf, randomBlob, temporaryDirectory } from "./store-blobs.ts";

const options = { durability: "on", clock: systemClock, log: silentLog } as const;
const megabyte = 1 << 20;

describe("a store on a full disk", () => {
  it("says no before the disk is full, and when it is", async (t) => {
    await using directory = await temporaryDirectory();
    const disk = join(directory.path, "disk");
    if (!mounted(disk)) {
      t.diagnostic("no file system can be mounted here: only the limit on a file's size is tested");
      return;
    }
    try {
      const store = await openDiskStore(disk, options);
      const kept = await fill(store.tenant(""), /the disk is nearly full/);
      assert.ok(statfsSync(disk).bavail > 0, "some is left");

      for (const size of [5000, 1_500_000]) await remove(store.tenant(""), kept, size);
      const first = randomBlob(5000);
      await store.tenant("").put(first.digest, first.bytes);
      kept.push(first);
      const filler = join(disk, "filler");
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(filler, Buffer.alloc(bavail * bsize)); // somebody else, behind the store's back
      for (const size of [5000, 900_000, 1_500_000]) {
        const { digest, bytes } = randomBlob(size);
        await assert.rejects(store.tenant("").put(digest, bytes), { code: "exhausted" });
        assert.deepEqual(store.tenant("").missing(DigestList.of(digest)), [0]);
      }
      for (const { digest, bytes } of kept) assert.deepEqual(await read(store.tenant(""), digest), bytes);
      await store.close();

      const full = await openDiskStore(disk, options);
      for (const { digest, bytes } of kept) assert.deepEqual(await read(full.tenant(""), digest), bytes);
      unlinkSync(filler);
      const later = randomBlob(100_000);
      await full.tenant("").put(later.digest, later.bytes);
      await full.close();
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  it("refuses what cannot be written in the middle of a file", async () => {
    await using directory = await temporaryDirectory();
    const program = join(import.meta.dirname, "store-writer.ts");
    const limited = `ulimit -f 2048; exec "${process.execPath}" "${program}" "${directory.path}" on 0 writing`;
    const { stdout, stderr } = spawnSync("bash", ["-c", limited], { encoding: "utf8", maxBuffer: 64 * megabyte });
    assert.match(stderr, /the disk is full \(EFBIG\)/);
    const numbers = (what: RegExp): number[] => Array.from(stdout.matchAll(what), ([, number]) => Number(number));
    const has = numbers(/^has (\d+)$/gm);
    const removing = new Set(numbers(/^removing (\d+)$/gm));
    const store = await openDiskStore(directory.path, options);
    let count = 0;
    for (const number of has) {
      if (removing.has(number)) continue;
      const { tenant, digest, bytes } = blobOf(number);
      assert.deepEqual(await read(store.tenant(tenant), digest), bytes);
      count++;
    }
    assert.ok(count > 50, `${count} blobs were kept`);
    await store.close();
  });
});

type Blob = ReturnType<typeof randomBlob>;

/** Puts blobs until one is refused, with this message. */
async function fill(store: DiskTenant, message: RegExp): Promise<Blob[]> {
  const kept: Blob[] = [];
  for (;;) {
    const blob = randomBlob([5000, 900_000, 1_500_000][kept.length % 3] ?? 0);
    try {
      await store.put(blob.digest, blob.bytes);
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, "exhausted");
      assert.match((error as Error).message, message);
      return kept;
    }
    kept.push(blob);
  }
}

/** Removes one of the kept blobs that has this size. */
async function remove(store: DiskTenant, kept: Blob[], size: number): Promise<void> {
  const at = kept.findIndex(({ digest }) => digest.size === size);
  for (const { digest } of kept.splice(at, 1)) await store.remove(digest);
}

/** Whether a small file system could be mounted. */
function mounted(directory: string): boolean {
  try {
    execFileSync("mkdir", ["-p", directory]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "stillage-test", directory], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
