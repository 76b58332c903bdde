import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sha256, storedFunctions } from "../base/digest-function.ts";
import { batchOf } from "./batch.fixture.ts";
import { blob, listOf, type OpenForTest, read, readBatch, rejects } from "./blob-store.contract.ts";

/** What every BlobStore promises of `putBatch`, as tests. `open` gives a fresh, empty one. */
export function blobBatchContract(name: string, open: OpenForTest): void {
  describe(`${name}: blob batch contract`, () => {
    for (const fn of storedFunctions) {
      it(`keeps batches, and says of each blob whether it is stored, ${fn.name}`, async () => {
        await using test = await open({});
        const good = [1, 2, 127, 128, 5000, 16_384, 300_000, 1 << 20].map((size) => blob(fn, size));
        const [first, there, large, other] = [blob(fn, 500), blob(fn, 600), blob(fn, 2_000_000), blob(fn, 700)];
        await test.store.put(there.digest, there.bytes);
        const wrong = { digest: other.digest, bytes: Buffer.alloc(other.bytes.length) };
        const short = { digest: other.digest, bytes: other.bytes.subarray(1) };
        const empty =
          fn.emptyHash === undefined
            ? []
            : [{ digest: { function: fn, hash: fn.emptyHash, size: 0 }, bytes: Buffer.alloc(0) }];
        const batch = [first, wrong, ...good, first, there, short, large, ...empty];
        const whole = async (framed: boolean): Promise<void> => {
          const failures = await test.store.putBatch(batchOf(batch, framed));
          const bad = [1, good.length + 4];
          assert.deepEqual(
            [...failures.keys()].toSorted((a, b) => a - b),
            bad,
          );
          for (const i of bad) await rejects(Promise.reject(failures.get(i)), "invalid");
        };
        await Promise.all([whole(true), whole(false), test.store.put(first.digest, first.bytes)]);
        for (const { digest, bytes } of [...good, first, there, large]) {
          assert.deepEqual(await read(test.store, digest), bytes);
        }
        const small = [...good, first, there];
        const again = await readBatch(
          test.store,
          small.map(({ digest }) => digest),
        );
        assert.deepEqual(again, { data: small.map(({ bytes }) => bytes), missing: [] });
        assert.equal(test.admin.usage().blobs, good.length + 3);
      });
    }

    it("takes of a batch what fits", async () => {
      await using test = await open({ quota: 1_000_000 });
      const blobs = [600_000, 100, 600_000, 200].map((size) => blob(sha256, size));
      const failures = await test.store.putBatch(batchOf(blobs));
      assert.deepEqual([...failures.keys()], [2]);
      await rejects(Promise.reject(failures.get(2)), "exhausted");
      assert.deepEqual(await test.store.missing(listOf(blobs.map(({ digest }) => digest))), [2]);
    });
  });
}
