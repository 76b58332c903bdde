import assert from "node:assert/strict";
import { closeSync, fstatSync, mkdirSync, openSync, rmdirSync } from "node:fs";
import { appendFile, cp, mkdtemp, rm, truncate, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { silentLog } from "../../base/log.ts";
import { blob } from "../blob-store.contract.ts";
import { readBlocks, recordWords } from "./index-format.ts";
import { type DiskStore, openDiskStore } from "./open-store.ts";

it("the last use of blobs survives a restart, and removed ones leave no trace", async () => {
  const directory = await mkdtemp(join(tmpdir(), "store-"));
  try {
    let now = 1_000_000;
    const options = { durability: "on", clock: () => now * 1000, log: silentLog } as const;
    for (const [size, index] of [
      [500, "packs/00000001.idx"],
      [2_000_000, "files.idx"],
    ] as const) {
      const blobs = Array.from({ length: 3 }, () => blob(sha256, size));
      const [used, unused, removed] = blobs.map(({ digest }) => digest) as [never, never, never];
      now = 1_000_000;
      let disk = await openDiskStore(directory, options);
      for (const { digest, bytes } of blobs) await disk.tenant("t").put(digest, bytes);
      await disk.close();
      now = 2_000_000;
      disk = await openDiskStore(directory, options);
      assert.deepEqual(disk.tenant("t").missing(DigestList.of(used)), []);
      await disk.tenant("t").remove(removed);
      await disk.close();
      const listed = uses(join(directory, "tenants/t/sha256", index));
      assert.deepEqual(
        listed,
        new Map([
          [wordOf(used), 2_000_000],
          [wordOf(unused), 1_000_000],
        ]),
      );
      now = 3_000_000;
      disk = await openDiskStore(directory, options);
      assert.deepEqual(disk.tenant("t").missing(DigestList.of(removed)), [0]);
      await disk.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

it("writes down what it can of the last use of blobs, and the rest the next time", async () => {
  const directory = await mkdtemp(join(tmpdir(), "store-"));
  try {
    let now = 1_000_000;
    const disk = await openDiskStore(directory, { durability: "on", clock: () => now * 1000, log: silentLog });
    const blobs = [500, 2_000_000].map((size) => blob(sha256, size));
    for (const name of ["a", "b"]) for (const { digest, bytes } of blobs) await disk.tenant(name).put(digest, bytes);
    now = 2_000_000;
    for (const name of ["a", "b"])
      for (const { digest } of blobs) assert.deepEqual(disk.tenant(name).missing(DigestList.of(digest)), []);
    const listed = (name: string, index: string): number[] => [
      ...uses(join(directory, "tenants", name, "sha256", index)).values(),
    ];
    const inTheWay = join(directory, "tenants/a/sha256/packs/00000001.idx.new");
    mkdirSync(inTheWay);
    for (const { shelf } of disk.shelves()) await shelf.saveUse();
    assert.deepEqual([listed("a", "packs/00000001.idx"), listed("a", "files.idx")], [[1_000_000], [2_000_000]]);
    assert.deepEqual([listed("b", "packs/00000001.idx"), listed("b", "files.idx")], [[2_000_000], [2_000_000]]);
    rmdirSync(inTheWay);
    for (const { shelf } of disk.shelves()) await shelf.saveUse();
    assert.deepEqual(listed("a", "packs/00000001.idx"), [2_000_000]);
    await disk.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});

it("after a crash blobs were used when they were written, and the store knows when anything was before it was opened", async () => {
  const directory = await mkdtemp(join(tmpdir(), "store-"));
  try {
    let now = 1_400_000_000;
    const options = { durability: "on", clock: () => now * 1000, log: silentLog } as const;
    const store = join(directory, "store");
    const blobs = [500, 2_000_000].map((size) => blob(sha256, size));
    const first = await openDiskStore(store, options);
    for (const { digest, bytes } of blobs) await first.tenant("t").put(digest, bytes);
    const crashed = join(directory, "crashed");
    await cp(store, crashed, { recursive: true });
    await first.close();

    const shelf = join(crashed, "tenants/t/sha256");
    await utimes(join(shelf, "packs/00000001.pack"), 1_450_000_000, 1_450_000_000);
    now = 1_500_000_000;
    const second = await openDiskStore(crashed, options);
    try {
      assert.deepEqual(lastUses(second), [1_400_000_000, 1_450_000_000]);
      for (const { digest } of blobs) assert.deepEqual(second.tenant("t").missing(DigestList.of(digest)), []);
      assert.deepEqual(lastUses(second), [1_500_000_000, 1_500_000_000]);
      assert.equal(second.census().lastUse, 1_450_000_000);
    } finally {
      await second.close();
    }

    await appendFile(join(shelf, "files.idx"), "damaged");
    await truncate(join(shelf, "files.idx"), 30);
    now = 4_000_000_000;
    const third = await openDiskStore(crashed, options);
    try {
      const [packed, inFile] = lastUses(third) as [number, number];
      assert.equal(packed, 1_500_000_000);
      assert.ok(inFile > packed && inFile <= Date.now() / 1000, `${inFile}`);
      assert.equal(third.census().lastUse, inFile);
    } finally {
      await third.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** The last uses of all blobs as they are noted in memory, the earliest first. */
function lastUses(store: DiskStore): number[] {
  const census = store.census();
  const found: number[] = [];
  for (const { shelves } of census.tenants) {
    for (const shelf of shelves) for (let n = 0; n < shelf.top; n++) if (shelf.has(n)) found.push(shelf.used(n));
  }
  census.close();
  return found.sort((a, b) => a - b);
}

function wordOf(digest: Parameters<typeof DigestList.of>[0]): number {
  return DigestList.of(digest).words[0] as number;
}

/** The last use that an index file lists for each blob, by the first word of its hash. */
function uses(path: string): Map<number, number> {
  const found = new Map<number, number>();
  const fd = openSync(path, "r");
  for (const { records } of readBlocks(fd, fstatSync(fd).size, sha256)) {
    const width = recordWords(sha256);
    for (let at = 0; at < records.length; at += width)
      found.set(records[at] as number, records[at + width - 1] as number);
  }
  closeSync(fd);
  return found;
}
