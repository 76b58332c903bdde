import assert from "node:assert/strict";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import type { Digest } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { entryLength } from "../../src/store/batch-entry.ts";
import { read, readBatch } from "../../src/store/blob-store.contract.ts";
import type { DiskTenant } from "../../src/store/disk/disk-tenant.ts";
import { encodeBlock, indexHeader, readBlocks } from "../../src/store/disk/index-format.ts";
import { openDiskStore } from "../../src/store/disk/open-store.ts";
import { randomBlob, temporaryDirectory } from "./store-blobs.ts";

type Blob = ReturnType<typeof randomBlob>;

const shelf = join("tenants", "@", "sha256");
const pack = join(shelf, "packs", "00000001.pack");
const index = join(shelf, "packs", "00000001.idx");
const journal = join(shelf, "files.idx");

/** Opens a store, does something, and closes it. */
async function withStore<T>(directory: string, work: (store: DiskTenant) => Promise<T>): Promise<T> {
  const disk = await openDiskStore(directory, { durability: "on", clock: systemClock, log: silentLog });
  try {
    return await work(disk.tenant(""));
  } finally {
    await disk.close();
  }
}

function filled(directory: string, blobs: readonly Blob[]): Promise<void> {
  return withStore(directory, async (store) => {
    for (const { digest, bytes } of blobs) await store.put(digest, bytes);
  });
}

/** Which of the blobs are there, all of those whole; then all of them are put again, and are there. */
async function survivors(directory: string, blobs: readonly Blob[]): Promise<number[]> {
  const there = await withStore(directory, async (store) => {
    const found = await present(store, blobs);
    for (const { digest, bytes } of blobs) await store.put(digest, bytes);
    return found;
  });
  assert.equal(
    (await withStore(directory, (store) => present(store, blobs))).length,
    blobs.length,
    "the store was healed",
  );
  return there;
}

async function present(store: DiskTenant, blobs: readonly Blob[]): Promise<number[]> {
  const found: number[] = [];
  for (const [i, { digest, bytes }] of blobs.entries()) {
    const opened = await store.open(digest);
    opened?.close();
    assert.equal(isThere(store, digest), opened !== undefined);
    if (opened === undefined) continue;
    assert.deepEqual(await read(store, digest), bytes);
    found.push(i);
  }
  const batch = await readBatch(
    store,
    blobs.map(({ digest }) => digest),
  );
  assert.deepEqual(
    batch.data,
    found.map((i) => blobs[i]?.bytes),
  );
  return found;
}

function isThere(store: DiskTenant, digest: Digest): boolean {
  return store.missing(DigestList.of(digest)).length === 0;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 0x10;
  writeFileSync(path, bytes);
}

const some = [300, 150, 5000, 70_000, 20].map(randomBlob);
const all = [0, 1, 2, 3, 4];
const lastLength = entryLength(sha256, 20);
const large = [1_500_000, 1_100_000, 2_000_000].map(randomBlob);

describe("a damaged pack", () => {
  it("loses a record that is cut anywhere, and no other", async () => {
    await using directory = await temporaryDirectory();
    for (let cut = 1; cut <= lastLength; cut++) {
      const path = join(directory.path, String(cut));
      await filled(path, some);
      unlinkSync(join(path, index));
      truncateSync(join(path, pack), statSync(join(path, pack)).size - cut);
      assert.deepEqual(await survivors(path, some), [0, 1, 2, 3], `cut ${cut} bytes before the end`);
    }
  });

  it("loses a record with garbage anywhere, and no other", async () => {
    await using directory = await temporaryDirectory();
    for (let at = 1; at <= lastLength; at++) {
      const path = join(directory.path, String(at));
      await filled(path, some);
      unlinkSync(join(path, index));
      flip(join(path, pack), statSync(join(path, pack)).size - at);
      assert.deepEqual(await survivors(path, some), [0, 1, 2, 3], `flipped ${at} bytes before the end`);
    }
  });

  it("keeps what lies behind a rotten record when its index is lost", async () => {
    await using directory = await temporaryDirectory();
    for (const at of [20, 60, 250, 420]) {
      const path = join(directory.path, String(at));
      await filled(path, some);
      unlinkSync(join(path, index));
      flip(join(path, pack), at);
      assert.equal((await survivors(path, some)).length, 4, `flipped byte ${at}`);
    }
  });

  it("does not serve a record whose head is rotten, and takes it again", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, some);
    flip(join(directory.path, pack), 16 + 30);
    await withStore(directory.path, async (store) => {
      assert.equal(isThere(store, (some[0] as Blob).digest), true, "nobody has looked yet");
      const batch = await readBatch(
        store,
        some.map(({ digest }) => digest),
      );
      assert.deepEqual(batch.missing, [0]);
    });
    assert.deepEqual(await survivors(directory.path, some), [1, 2, 3, 4]);
  });

  it("is served where its header is rotten", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, some);
    flip(join(directory.path, pack), 3);
    assert.deepEqual(await survivors(directory.path, some), all);
  });

  it("that is gone loses its blobs, and the store goes on", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, some);
    unlinkSync(join(directory.path, pack));
    assert.deepEqual(await survivors(directory.path, some), []);
  });
});

describe("a damaged index of a pack", () => {
  it("costs nothing, whatever is wrong with it", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, some);
    const path = join(directory.path, index);
    const { size } = statSync(path);
    unlinkSync(path);
    assert.deepEqual(await survivors(directory.path, some), all, "lost");
    for (let at = 0; at < size; at += 5) {
      flip(path, at);
      assert.deepEqual(await survivors(directory.path, some), all, `flipped byte ${at}`);
    }
    for (let length = 0; length < size; length += 5) {
      truncateSync(path, length);
      assert.deepEqual(await survivors(directory.path, some), all, `cut to ${length} bytes`);
    }
  });

  it("that is ahead of its pack is not believed", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, some);
    truncateSync(join(directory.path, pack), statSync(join(directory.path, pack)).size - 1);
    assert.deepEqual(await survivors(directory.path, some), [0, 1, 2, 3]);
  });

  it("of another function is not believed", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, some);
    const path = join(directory.path, index);
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(6, 12);
    writeFileSync(path, bytes);
    assert.deepEqual(await survivors(directory.path, some), all);
  });
});

describe("a damaged journal of large blobs", () => {
  it("costs nothing, whatever is wrong with it", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, large);
    const path = join(directory.path, journal);
    const { size } = statSync(path);
    unlinkSync(path);
    assert.deepEqual(await survivors(directory.path, large), [0, 1, 2], "lost");
    for (let at = 0; at < size; at += 7) {
      flip(path, at);
      assert.deepEqual(await survivors(directory.path, large), [0, 1, 2], `flipped byte ${at}`);
    }
  });

  it("costs nothing where a blob was still among the incoming files", async () => {
    await using directory = await temporaryDirectory();
    await filled(directory.path, large);
    const [path = ""] = blobFiles(directory.path);
    renameSync(path, join(directory.path, shelf, "incoming", path.slice(path.lastIndexOf("/") + 1)));
    unlinkSync(join(directory.path, journal));
    assert.deepEqual(await survivors(directory.path, large), [0, 1, 2]);
  });
});

describe("a journal of large blobs", () => {
  it("that lists a removal behind the upload that crossed it keeps what was uploaded", async () => {
    await using directory = await temporaryDirectory();
    const [blob] = large as [Blob];
    await withStore(directory.path, async (store) => {
      await store.put(blob.digest, blob.bytes);
      await store.remove(blob.digest);
      await store.put(blob.digest, blob.bytes);
    });
    const path = join(directory.path, journal);
    const fd = openSync(path, "r");
    const records = [...readBlocks(fd, statSync(path).size, sha256)].map((block) => block.records.slice());
    closeSync(fd);
    assert.equal(records.length, 3);
    const [stored, removed, again] = records as [Uint32Array, Uint32Array, Uint32Array];
    const crossed = Uint32Array.from([...stored, ...again, ...removed]);
    writeFileSync(path, Buffer.concat([indexHeader(sha256), encodeBlock(sha256, crossed, 3, 0)]));
    assert.deepEqual(await survivors(directory.path, [blob]), [0]);
  });
});

describe("a damaged file of a large blob", () => {
  it("that is gone or cut is missing from the moment somebody looks, and taken again", async () => {
    for (const damage of [unlinkSync, (path: string) => truncateSync(path, 1_050_000)]) {
      await using directory = await temporaryDirectory();
      await filled(directory.path, large);
      const [path = ""] = blobFiles(directory.path);
      damage(path);
      await withStore(directory.path, async (store) => {
        const found = (
          await readBatch(
            store,
            large.map(({ digest }) => digest),
          )
        ).data.length;
        assert.equal(found, 2);
        assert.equal(large.filter(({ digest }) => isThere(store, digest)).length, 2);
      });
      assert.equal((await survivors(directory.path, large)).length, 2);
    }
  });
});

function blobFiles(directory: string): string[] {
  return readdirSync(join(directory, shelf, "files"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
