import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf, emptyDigest } from "../base/digest.ts";
import {
  blake3,
  type DigestFunction,
  digestFunctions,
  ostree,
  sha256,
  storedFunctions,
} from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import type { ErrorCode } from "../base/errors.ts";
import { filezOf, filezOfSize, filezOfZeros, hashOfContent } from "../base/filez.fixture.ts";
import { BatchReadBlobsResponseSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Blob, BlobReader, BlobStore, BlobStoreAdmin } from "./blob-store.ts";

/** A store to test, with what is needed to look after it. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: BlobStore;
  readonly admin: BlobStoreAdmin;
  /** Removes a blob as administration would. */
  remove(digest: Digest): Promise<void>;
}

export type OpenForTest = (options: { readonly quota?: number }) => Promise<StoreUnderTest>;

/** Sizes on both sides of every limit that a backend is known to have. */
const sizes = [1, 2, 127, 128, 5000, 16_384, 300_000, 1 << 20, (1 << 20) + 1, 3_000_001];

/** What every BlobStore promises, as tests. `open` gives a fresh, empty one. */
export function blobStoreContract(name: string, open: OpenForTest): void {
  describe(`${name}: blob store contract`, () => {
    it("tells functions apart whose hashes have one length", async () => {
      await using test = await open({});
      const { digest, bytes } = blob(sha256, 1000);
      const other = { ...digest, function: blake3 };
      await test.store.put(digest, bytes);
      assert.deepEqual(await test.store.missing(DigestList.of(other)), [0]);
      assert.equal(await test.store.sizeOf(blake3, digest.hash), undefined);
      assert.equal(await test.store.open(other), undefined);
      await rejects(test.store.put(other, bytes), "invalid");
      await rejects(upload(test.store, other, bytes), "invalid");
    });

    for (const fn of storedFunctions) {
      it(`keeps blobs of every size, ${fn.name}`, async () => {
        await using test = await open({});
        const blobs = sizes.map((size) => blob(fn, size));
        await Promise.all(
          blobs.map(({ digest, bytes }, i) =>
            i % 2 ? upload(test.store, digest, bytes) : test.store.put(digest, bytes),
          ),
        );
        await Promise.all(
          blobs.map(({ digest, bytes }, i) =>
            i % 2 ? test.store.put(digest, bytes) : upload(test.store, digest, bytes),
          ),
        );
        assert.deepEqual(await test.store.missing(listOf(blobs.map(({ digest }) => digest))), []);
        for (const { digest, bytes } of blobs) assert.deepEqual(await read(test.store, digest), bytes);
        for (const { digest } of blobs) assert.equal(await test.store.sizeOf(fn, digest.hash), digest.size);
        assert.equal(await test.store.sizeOf(fn, blob(fn, 10).digest.hash), undefined);
        assert.equal(test.admin.usage().blobs, blobs.length);
      });
    }

    for (const fn of digestFunctions) {
      it(`has the empty blob, ${fn.name}`, async () => {
        await using test = await open({});
        const empty = emptyDigest(fn);
        assert.deepEqual(await test.store.missing(DigestList.of(empty)), []);
        assert.deepEqual(await read(test.store, empty), Buffer.alloc(0));
        assert.equal(await test.store.sizeOf(fn, empty.hash), 0);
        await test.store.put(empty, Buffer.alloc(0));
        await upload(test.store, empty, Buffer.alloc(0));
        await rejects(test.store.put(empty, Buffer.alloc(1)), "invalid");
        assert.deepEqual(await readBatch(test.store, [empty, empty]), {
          data: [Buffer.alloc(0), Buffer.alloc(0)],
          missing: [],
        });
        assert.equal(test.admin.usage().blobs, 0);
      });
    }

    it("has no empty blob of a function that names none", async () => {
      await using test = await open({});
      const digest: Digest = { function: ostree, hash: "0".repeat(64), size: 0 };
      assert.deepEqual(await test.store.missing(DigestList.of(digest)), [0]);
      assert.equal(await test.store.sizeOf(ostree, digest.hash), undefined);
      assert.equal(await test.store.open(digest), undefined);
      assert.deepEqual(await readBatch(test.store, [digest]), { data: [], missing: [0] });
      await rejects(test.store.put(digest, Buffer.alloc(0)), "invalid");
      await rejects(upload(test.store, digest, Buffer.alloc(0)), "invalid");
    });

    it("keeps the first of two deflations of a file", async () => {
      await using test = await open({});
      const content = Buffer.alloc(100_000, "content");
      const [first, second] = [1, 9].map((level) =>
        fileObject({ hash: hashOfContent(content), bytes: filezOf(content, level) }),
      );
      assert.ok(first && second && first.digest.size !== second.digest.size);
      await test.store.put(first.digest, first.bytes);
      await test.store.put(second.digest, second.bytes);
      await upload(test.store, second.digest, second.bytes);
      assert.equal(await test.store.sizeOf(ostree, first.digest.hash), first.digest.size);
      assert.deepEqual(await test.store.missing(listOf([first.digest, second.digest])), [1]);
      assert.deepEqual(await read(test.store, first.digest), first.bytes);
      assert.equal(test.admin.usage().blobs, 1);
    });

    it("keeps file objects of which few bytes are deflated from many, and refuses what is none", async () => {
      await using test = await open({});
      const { digest, bytes } = fileObject(filezOfZeros(9 << 20));
      await test.store.put(digest, bytes);
      assert.deepEqual(await read(test.store, digest), bytes);
      const uploaded = fileObject(filezOfZeros((9 << 20) + 1));
      await upload(test.store, uploaded.digest, uploaded.bytes);
      assert.deepEqual(await read(test.store, uploaded.digest), uploaded.bytes);
      for (const size of [5000, 3_000_001]) {
        const good = blob(ostree, size);
        const wrong = {
          cut: good.bytes.subarray(0, -1),
          "with something behind it": Buffer.concat([good.bytes, Buffer.alloc(1)]),
          "with a bit that turned": Buffer.from(good.bytes.map((byte, i) => (i === size - 9 ? byte ^ 1 : byte))),
          "no file object": randomBytes(size),
          "of another size than it says": Buffer.from(good.bytes).fill(0, 8, 16),
        };
        for (const bytes of Object.values(wrong)) {
          const named = { ...good.digest, size: bytes.length };
          await rejects(test.store.put(named, bytes), "invalid");
          await rejects(upload(test.store, named, bytes), "invalid");
          assert.deepEqual(await test.store.missing(DigestList.of(named)), [0]);
        }
      }
      assert.equal(test.admin.usage().blobs, 2);
    });

    it("says of hashes alone how large the blobs are", async () => {
      await using test = await open({});
      const blobs = [blob(ostree, 100), blob(ostree, 5000), blob(ostree, 2_000_000)];
      for (const { digest, bytes } of blobs) await test.store.put(digest, bytes);
      const absent = blob(ostree, 100).digest;
      const asked = [absent, ...blobs.map(({ digest }) => digest), absent].map((each) => ({ ...each, size: 1 }));
      const sizes = await test.store.sizesOf(listOf(asked));
      assert.deepEqual([...sizes], [-1, ...blobs.map(({ digest }) => digest.size), -1]);
      assert.deepEqual([...(await test.store.sizesOf(new DigestList(ostree)))], []);
    });

    it("says what is missing, in order, each time it is asked", async () => {
      await using test = await open({});
      const there = blob(sha256, 10);
      const absent = blob(sha256, 10);
      await test.store.put(there.digest, there.bytes);
      const wrongSize = { ...there.digest, size: 11 };
      const asked = [absent.digest, there.digest, absent.digest, wrongSize, emptyDigest(sha256)];
      assert.deepEqual(await test.store.missing(listOf(asked)), [0, 2, 3]);
      assert.equal(await test.store.open(absent.digest), undefined);
      assert.equal(await test.store.open(wrongSize), undefined);
      const batch = await readBatch(test.store, asked);
      assert.deepEqual(batch, { data: [there.bytes, Buffer.alloc(0)], missing: [0, 2, 3] });
    });

    it("reads ranges", async () => {
      await using test = await open({});
      for (const { digest, bytes } of [blob(sha256, 70_000), blob(sha256, 2_000_000)]) {
        await upload(test.store, digest, bytes);
        const opened = await mustOpen(test.store, digest);
        for (const [from, to] of [
          [0, 1],
          [1, 1],
          [69_999, 70_000],
          [100, 69_000],
          [0, 70_000],
        ] as const) {
          const buffer = Buffer.alloc(to - from);
          await opened.read(buffer, from);
          assert.deepEqual(buffer, bytes.subarray(from, to));
        }
        opened.close();
      }
    });

    it("reads batches in the order asked, neighbours or not", async () => {
      await using test = await open({});
      const blobs = [100, 2000, 16_384, 1, 1 << 20, (1 << 20) + 1, 130].map((size) => blob(sha256, size));
      for (const { digest, bytes } of blobs) await test.store.put(digest, bytes);
      for (const order of [blobs, blobs.toReversed(), [...blobs, ...blobs], [blobs[3], blobs[1], blobs[2], blobs[0]]]) {
        const asked = order.filter((each) => each !== undefined);
        const batch = await readBatch(
          test.store,
          asked.map(({ digest }) => digest),
        );
        assert.deepEqual(batch, { data: asked.map(({ bytes }) => bytes), missing: [] });
      }
    });

    it("refuses what is not what its digest says, and keeps nothing of it", async () => {
      await using test = await open({});
      for (const size of [10, 2_000_000]) {
        const { digest, bytes } = blob(sha256, size);
        const other = Buffer.from(bytes);
        other[size >> 1] = (other[size >> 1] as number) ^ 1;
        await rejects(test.store.put(digest, other), "invalid");
        await rejects(test.store.put(digest, bytes.subarray(1)), "invalid");
        await rejects(upload(test.store, digest, other), "invalid");
        await rejects(upload(test.store, digest, bytes.subarray(1)), "invalid");
        await rejects(upload(test.store, digest, Buffer.concat([bytes, bytes])), "invalid");
        assert.deepEqual(await test.store.missing(DigestList.of(digest)), [0]);
        await test.store.put(digest, bytes);
        await rejects(test.store.put(digest, other), "invalid");
        assert.deepEqual(await read(test.store, digest), bytes);
      }
    });

    it("takes uploads that rest in between, wherever that is", async () => {
      await using test = await open({});
      for (const size of [3_000_000, 5_000_003]) {
        const { digest, bytes } = blob(sha256, size);
        const begun = await test.store.upload(digest);
        let at = 0;
        for (const next of [0, 1, 4096, 4097, 600_000, 1_124_288, 1_124_289, 2_900_000, size]) {
          for (; at < next; at = Math.min(next, at + 65_536))
            await begun.write(bytes.subarray(at, Math.min(next, at + 65_536)));
          await begun.rest();
        }
        await begun.finish();
        assert.deepEqual(await read(test.store, digest), bytes);
      }
    });

    it("takes uploads in pieces of any size, whose memory is free at once", async () => {
      await using test = await open({});
      for (const size of [5000, 3_000_000]) {
        for (const piece of [size >> 8, 100_000, size]) {
          const { digest, bytes } = blob(sha256, size);
          const begun = await test.store.upload(digest);
          const memory = Buffer.alloc(piece);
          for (let at = 0; at < size; at += piece) {
            const length = bytes.copy(memory, 0, at, at + piece);
            await begun.write(memory.subarray(0, length));
            memory.fill(0);
            assert.equal(begun.received, at + length);
          }
          assert.deepEqual(await test.store.missing(DigestList.of(digest)), [0]);
          await begun.finish();
          await begun.abort();
          assert.deepEqual(await read(test.store, digest), bytes);
        }
      }
    });

    it("takes one blob from many at once", async () => {
      await using test = await open({});
      for (const size of [5000, 2_000_000]) {
        const { digest, bytes } = blob(sha256, size);
        await Promise.all(
          Array.from({ length: 12 }, (_, i) =>
            i % 2 ? upload(test.store, digest, bytes) : test.store.put(digest, Buffer.from(bytes)),
          ),
        );
        assert.deepEqual(await read(test.store, digest), bytes);
      }
      assert.equal(test.admin.usage().blobs, 2);
    });

    it("forgets what was aborted", async () => {
      await using test = await open({ quota: 4_000_000 });
      for (const size of [5000, 3_000_000]) {
        const { digest, bytes } = blob(sha256, size);
        const before = test.admin.usage();
        for (let i = 0; i < 3; i++) {
          const begun = await test.store.upload(digest);
          await begun.write(bytes.subarray(0, size - 1));
          await begun.abort();
          await begun.abort();
        }
        assert.deepEqual(test.admin.usage(), before);
        assert.deepEqual(await test.store.missing(DigestList.of(digest)), [0]);
      }
    });

    it("refuses what passes the quota and goes on", async () => {
      await using test = await open({ quota: 3_000_000 });
      const first = blob(sha256, 900_000);
      const large = blob(sha256, 2_900_000);
      await test.store.put(first.digest, first.bytes);
      await rejects(test.store.put(large.digest, large.bytes), "exhausted");
      await rejects(upload(test.store, large.digest, large.bytes), "exhausted");
      const held = await test.store.upload({ ...large.digest, size: 1_500_000 });
      const second = blob(sha256, 1_000_000);
      await rejects(test.store.put(second.digest, second.bytes), "exhausted");
      await held.abort();
      await test.store.put(second.digest, second.bytes);
      await test.store.put(first.digest, first.bytes);
      assert.deepEqual(await read(test.store, first.digest), first.bytes);
      assert.equal(test.admin.usage().quota, 3_000_000);
    });

    it("removes, counts it, and takes the blob again", async () => {
      await using test = await open({});
      for (const size of [5000, 2_000_000]) {
        const one = blob(sha256, size);
        const other = blob(sha256, size);
        await test.store.put(one.digest, one.bytes);
        await test.store.put(other.digest, other.bytes);
        const opened = await mustOpen(test.store, one.digest);
        const removals = test.admin.removals();
        await test.remove(one.digest);
        await test.remove(one.digest);
        assert.equal(test.admin.removals(), removals + 1);
        const inHand = Buffer.alloc(size);
        await opened.read(inHand, 0);
        assert.deepEqual(inHand, one.bytes);
        opened.close();
        assert.deepEqual(await test.store.missing(listOf([one.digest, other.digest])), [0]);
        assert.equal(await test.store.open(one.digest), undefined);
        await test.store.put(one.digest, one.bytes);
        assert.deepEqual(await read(test.store, one.digest), one.bytes);
        assert.deepEqual(await read(test.store, other.digest), other.bytes);
      }
    });
  });
}

/** A random blob of a size. */
export function blob(fn: DigestFunction, size: number): { digest: Digest; bytes: Buffer } {
  if (fn === ostree) return fileObject(filezOfSize(size));
  const bytes = randomBytes(size);
  return { digest: digestOf(fn, bytes), bytes };
}

function fileObject({ hash, bytes }: { hash: string; bytes: Buffer }): { digest: Digest; bytes: Buffer } {
  return { digest: { function: ostree, hash, size: bytes.length }, bytes };
}

export function listOf(digests: readonly Digest[]): DigestList {
  const list = new DigestList(digests[0]?.function ?? sha256);
  for (const digest of digests) list.push(digest);
  return list;
}

/** Uploads a blob in pieces of 64 KiB; aborts where that fails. */
export async function upload(store: BlobStore, digest: Digest, bytes: Uint8Array): Promise<void> {
  const begun = await store.upload(digest);
  try {
    for (let at = 0; at < bytes.length; at += 65_536) await begun.write(bytes.subarray(at, at + 65_536));
    await begun.finish();
  } finally {
    await begun.abort();
  }
}

/** The whole blob; fails where there is none. */
export async function read(store: BlobStore, digest: Digest): Promise<Buffer> {
  const opened = await mustOpen(store, digest);
  const buffer = Buffer.alloc(digest.size);
  await opened.read(buffer, 0);
  opened.close();
  return buffer;
}

async function mustOpen(store: BlobStore, digest: Digest): Promise<Blob> {
  const opened = await store.open(digest);
  assert.ok(opened, "the blob is there");
  assert.deepEqual(opened.digest, digest);
  return opened;
}

/** A batch as a client decodes it. */
export async function readBatch(
  store: BlobReader,
  digests: readonly Digest[],
): Promise<{ data: Buffer[]; missing: number[] }> {
  const batch = await store.readBatch(listOf(digests));
  const bytes = Buffer.concat(batch.parts);
  batch.release();
  assert.equal(bytes.length, batch.bytes);
  const { responses } = fromBinary(BatchReadBlobsResponseSchema, bytes);
  const found = digests.filter((_, i) => !batch.missing.includes(i));
  assert.deepEqual(
    responses.map(({ digest }) => ({ hash: digest?.hash, size: Number(digest?.sizeBytes) })),
    found.map(({ hash, size }) => ({ hash, size })),
  );
  return { data: responses.map(({ data }) => Buffer.from(data)), missing: [...batch.missing] };
}

export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => (error as { code?: unknown }).code === code, `is refused as ${code}`);
}
