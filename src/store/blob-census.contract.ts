import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../base/clock.ts";
import type { Digest } from "../base/digest.ts";
import { sha1, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import type { BlobCensus, StoreCensus } from "./blob-census.ts";
import { blob, listOf, readBatch } from "./blob-store.contract.ts";
import type { BlobReader, BlobStore } from "./blob-store.ts";

export interface CensusUnderTest extends AsyncDisposable {
  readonly store: BlobStore;
  census(): StoreCensus;
  removals(): number;
}

/** `leaseSeconds` as in DiskStoreOptions. */
export type OpenForCensus = (options: {
  readonly clock: Clock;
  readonly leaseSeconds: number;
}) => Promise<CensusUnderTest>;

/** What every census promises, as tests. `open` gives a fresh, empty store. */
export function blobCensusContract(name: string, open: OpenForCensus): void {
  describe(`${name}: blob census contract`, () => {
    let seconds = 1e9;
    const clock: Clock = () => seconds * 1000;

    it("knows each blob by a number", async () => {
      await using test = await open({ clock, leaseSeconds: 0 });
      const blobs = [blob(sha256, 10), blob(sha256, 2_000_000), blob(sha1, 10)];
      for (const { digest, bytes } of blobs) {
        seconds++;
        await test.store.put(digest, bytes);
      }
      const census = test.census();
      for (const [i, { digest }] of blobs.entries()) {
        const { shelf, number } = find(census, digest);
        assert.ok(number >= 0 && number < shelf.top && shelf.has(number));
        assert.deepEqual(shelf.digest(number), digest);
        assert.equal(shelf.size(number), digest.size);
        assert.ok(shelf.room(number) >= digest.size && shelf.room(number) < digest.size + 10_000);
        assert.equal(shelf.used(number), seconds - 2 + i);
      }
      const { shelf } = find(census, blob(sha256, 5).digest);
      let count = 0;
      for (let number = 0; number < shelf.top; number++) if (shelf.has(number)) count++;
      assert.equal(count, 2);
      assert.equal(find(census, blob(sha256, 5).digest).number, -1);
      census.close();
    });

    it("notes a use by the store, and none by its own reader", async () => {
      await using test = await open({ clock, leaseSeconds: 0 });
      for (const size of [500, 1_500_000]) {
        const { digest, bytes } = blob(sha256, size);
        await test.store.put(digest, bytes);
        const stored = seconds;
        const census = test.census();
        const { shelf, number } = find(census, digest);
        const { reader } = census.tenants[0] as { reader: BlobReader };
        seconds += 1000;
        assert.deepEqual(await reader.missing(DigestList.of(digest)), []);
        assert.deepEqual(await readBatch(reader, [digest]), { data: [bytes], missing: [] });
        assert.equal(await reader.sizeOf(sha256, digest.hash), size);
        (await reader.open(digest))?.close();
        assert.equal(shelf.used(number), stored);
        for (const use of [
          () => test.store.missing(DigestList.of(digest)),
          async () => (await test.store.open(digest))?.close(),
          async () => readBatch(test.store, [digest]),
          () => test.store.put(digest, bytes),
        ]) {
          seconds += 1000;
          await use();
          assert.equal(shelf.used(number), seconds);
        }
        census.close();
      }
    });

    it("removes what was not used since, and counts it", async () => {
      await using test = await open({ clock, leaseSeconds: 0 });
      const blobs = Array.from({ length: 60 }, (_, i) => blob(sha256, i % 20 === 0 ? 1_100_000 + i : 100 + i));
      for (const { digest, bytes } of blobs) {
        seconds++;
        await test.store.put(digest, bytes);
      }
      const digests = blobs.map(({ digest }) => digest);
      const census = test.census();
      const { shelf } = find(census, digests[0] as Digest);
      const numbers = digests.map((digest) => find(census, digest).number);
      const rooms = numbers.map((number) => shelf.room(number));
      const limit = shelf.used(numbers[40] as number);
      const mayGo = (used: number): boolean => used < limit;
      seconds += 10;
      await test.store.missing(DigestList.of(digests[7] as Digest));
      const removals = test.removals();
      const removing = shelf.remove(Uint32Array.from([...numbers, ...numbers, shelf.top + 5]), mayGo);
      const gone = digests.map((_, i) => i).filter((i) => i < 40 && i !== 7);
      const bytes = gone.reduce((sum, i) => sum + (rooms[i] as number), 0);
      assert.deepEqual(await removing, { blobs: 39, bytes });
      assert.ok(test.removals() > removals);
      assert.deepEqual(await test.store.missing(listOf(digests)), gone);
      assert.deepEqual(await shelf.remove(numbers, mayGo), { blobs: 0, bytes: 0 });
      for (const { digest, bytes } of blobs) await test.store.put(digest, bytes);
      assert.deepEqual((await readBatch(test.store, digests)).missing, []);
      census.close();
    });

    it("gives no number to another blob while it is open", async () => {
      await using test = await open({ clock, leaseSeconds: 0 });
      const { digest, bytes } = blob(sha256, 10);
      await test.store.put(digest, bytes);
      const [census, other] = [test.census(), test.census()];
      const { shelf, number } = find(census, digest);
      await shelf.remove([number], () => true);
      other.close();
      const later = Array.from({ length: 5 }, () => blob(sha256, 20));
      for (const { digest, bytes } of later) {
        await test.store.put(digest, bytes);
        assert.notEqual(find(census, digest).number, number);
      }
      assert.equal(shelf.has(number), false);
      census.close();
      for (let i = 0; i < 5; i++) {
        const { digest, bytes } = blob(sha256, 30);
        await test.store.put(digest, bytes);
      }
      assert.deepEqual(await test.store.missing(listOf(later.map(({ digest }) => digest))), []);
    });
  });
}

function find(census: StoreCensus, digest: Digest): { shelf: BlobCensus; number: number } {
  const shelf = census.tenants[0]?.shelves.find((each) => each.function === digest.function);
  assert.ok(shelf);
  return { shelf, number: shelf.find(DigestList.of(digest).words, 0) };
}
