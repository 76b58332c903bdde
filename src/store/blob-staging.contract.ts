import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sha256, storedFunctions } from "../base/digest-function.ts";
import type { BlobStaging, StagedBlob } from "./blob-staging.ts";
import { blob, listOf, read, rejects } from "./blob-store.contract.ts";
import type { BlobStore, BlobStoreAdmin } from "./blob-store.ts";

/** A store to test, with what is needed to look after it. */
export interface StagingUnderTest extends AsyncDisposable {
  readonly store: BlobStore & BlobStaging;
  readonly admin: BlobStoreAdmin;
}

/** Sizes on both sides of the one from which a blob is a file. */
const sizes = [1, 5000, 1 << 20, (1 << 20) + 1, 4_194_304, 9_000_001];

/** What every BlobStaging promises, as tests. `open` gives a fresh, empty store. */
export function blobStagingContract(
  name: string,
  open: (options: { readonly quota?: number }) => Promise<StagingUnderTest>,
): void {
  describe(`${name}: staging contract`, () => {
    for (const fn of storedFunctions) {
      it(`keeps blobs of every size, and says what they are, ${fn.name}`, async () => {
        await using test = await open({});
        for (const size of sizes) {
          const { digest, bytes } = blob(fn, size);
          const staged = await test.store.stage(fn);
          await writeAll(staged, bytes);
          assert.equal(staged.received, bytes.length);
          assert.deepEqual(await staged.seal(), digest);
          assert.deepEqual(await test.store.missing(listOf([digest])), [0], "not before it is finished");
          await staged.finish();
          await staged.abort();
          assert.deepEqual(await read(test.store, digest), bytes);
        }
        assert.equal(test.admin.usage().blobs, sizes.length);
      });
    }

    it("takes the empty blob", async () => {
      await using test = await open({});
      const staged = await test.store.stage(sha256);
      assert.equal((await staged.seal()).hash, sha256.emptyHash);
      await staged.finish();
      assert.equal(test.admin.usage().blobs, 0);
    });

    it("has one blob of two that are alike, and gives the room of the other back", async () => {
      await using test = await open({});
      for (const size of [5000, 2_000_000]) {
        const { digest, bytes } = blob(sha256, size);
        const both = [await test.store.stage(sha256), await test.store.stage(sha256)];
        for (const staged of both) await writeAll(staged, bytes);
        await Promise.all(both.map((staged) => staged.finish()));
        const used = test.admin.usage().bytes;
        const later = await test.store.stage(sha256);
        await writeAll(later, bytes);
        await later.finish();
        assert.equal(test.admin.usage().bytes, used);
        assert.deepEqual(await read(test.store, digest), bytes);
      }
    });

    it("leaves nothing of what is given up", async () => {
      await using test = await open({});
      const before = test.admin.usage();
      for (const size of [5000, 2_000_000, 20_000_000]) {
        for (const sealed of [false, true]) {
          const { digest, bytes } = blob(sha256, size);
          const staged = await test.store.stage(sha256);
          await writeAll(staged, bytes);
          if (sealed) await staged.seal();
          await staged.abort();
          await staged.abort();
          await assert.rejects(async () => staged.write(bytes), { code: "aborted" });
          await rejects(staged.finish(), "aborted");
          assert.deepEqual(await test.store.missing(listOf([digest])), [0]);
        }
      }
      assert.deepEqual(test.admin.usage(), before);
    });

    it("takes nothing more once it is sealed", async () => {
      await using test = await open({});
      const staged = await test.store.stage(sha256);
      await staged.write(Buffer.from("content"));
      await staged.seal();
      await assert.rejects(async () => staged.write(Buffer.from("more")), { code: "aborted" });
      await staged.abort();
    });

    it("refuses what does not fit, in the middle, and forgets it", async () => {
      await using test = await open({ quota: 3_000_000 });
      const kept = blob(sha256, 900_000);
      await test.store.put(kept.digest, kept.bytes);
      const before = test.admin.usage();
      const staged = await test.store.stage(sha256);
      await rejects(writeAll(staged, blob(sha256, 4_000_000).bytes), "exhausted");
      await staged.abort();
      assert.deepEqual(test.admin.usage(), before);
      const fits = blob(sha256, 1_900_000);
      const second = await test.store.stage(sha256);
      await writeAll(second, fits.bytes);
      await second.finish();
      assert.deepEqual(await read(test.store, fits.digest), fits.bytes);
    });
  });
}

async function writeAll(staged: StagedBlob, bytes: Uint8Array): Promise<void> {
  const piece = Buffer.alloc(65_536);
  for (let at = 0; at < bytes.length; at += piece.length) {
    const length = Math.min(piece.length, bytes.length - at);
    piece.set(bytes.subarray(at, at + length));
    await staged.write(piece.subarray(0, length));
    piece.fill(0); // free for other use
  }
}
