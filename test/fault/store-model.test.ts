import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { it } from "node:test";
import fc from "fast-check";
import { systemClock } from "../../src/base/clock.ts";
import type { Digest } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import type { StoreCensus } from "../../src/store/blob-census.ts";
import { blob, listOf, read, readBatch, upload } from "../../src/store/blob-store.contract.ts";
import { heldSyncs } from "../../src/store/disk/held-syncs.fixture.ts";
import { type DiskStore, openDiskStore } from "../../src/store/disk/open-store.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const blobs = [1, 50, 2047, 2048, 2049, 9000, 40_000, 1 << 20, (1 << 20) + 1, 1_300_000].map((size) =>
  blob(sha256, size),
);
const any = fc.nat({ max: blobs.length - 1 });
const many = fc.array(any, { minLength: 1, maxLength: 12 });
const step = fc.oneof(
  fc.record({ do: fc.constant("put" as const), which: many }),
  fc.record({ do: fc.constant("upload" as const), which: many }),
  fc.record({ do: fc.constant("remove" as const), which: fc.array(any, { minLength: 1, maxLength: 3 }) }),
  fc.record({ do: fc.constant("removeMany" as const), which: many }),
  fc.record({ do: fc.constant("compact" as const), which: many }),
  fc.record({ do: fc.constant("read" as const), which: many }),
  fc.record({ do: fc.constant("reopen" as const), which: fc.constant([] as number[]) }),
);

/** One sync of two takes longer, by some turns of the event loop: others overtake it. */
function someTurns(): Promise<void> | undefined {
  return randomInt(2) === 0 ? undefined : turns(randomInt(20));
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Removes blobs by their numbers, as a sweep does. */
async function removeMany(from: { census(): StoreCensus }, digests: readonly Digest[]): Promise<void> {
  const census = from.census();
  for (const { shelves } of census.tenants) {
    const shelf = shelves.find((each) => each.function === sha256);
    const numbers = digests.map((digest) => shelf?.find(DigestList.of(digest).words, 0) ?? -1);
    await shelf?.remove(numbers, () => true);
  }
  census.close();
}

for (const durability of ["on", "off"] as const) {
  it(`the disk store is the memory store, durability ${durability}, whatever is done to both`, async () => {
    using _ = heldSyncs(someTurns);
    const open = (path: string): Promise<DiskStore> =>
      openDiskStore(path, { durability, quota: 128 << 20, clock: systemClock, log: silentLog }); // packs are small then
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using directory = await temporaryDirectory();
        const model = new MemoryStore();
        let disk = await open(directory.path);
        for (const { do: what, which } of steps) {
          const store = disk.tenant("t");
          const chosen = which.map((i) => blobs[i] as (typeof blobs)[number]);
          const digests = chosen.map(({ digest }) => digest);
          if (what === "reopen") {
            await disk.close();
            disk = await open(directory.path);
          } else if (what === "removeMany") {
            await removeMany(disk, digests);
            await removeMany(model, digests);
          } else if (what === "compact") {
            // Meanwhile some come anew, or again.
            const puts = [store, model].map((each) =>
              Promise.all(chosen.map((one) => each.put(one.digest, one.bytes))),
            );
            await Promise.all([disk.compact(), ...puts]);
          } else if (what === "read") {
            assert.deepEqual(store.missing(listOf(digests)), model.missing(listOf(digests)));
            assert.deepEqual(await readBatch(store, digests), await readBatch(model, digests));
            for (const { digest, bytes } of chosen) {
              if (model.open(digest) === undefined) assert.equal(await store.open(digest), undefined);
              else assert.deepEqual(await read(store, digest), bytes);
            }
          } else {
            for (const each of [store, model]) {
              await Promise.all(
                chosen.map(({ digest, bytes }) => {
                  if (what === "put") return each.put(digest, bytes);
                  return what === "upload" ? upload(each, digest, bytes) : each.remove(digest);
                }),
              );
            }
          }
          const { blobs: count, bytes, live, dead, others } = disk.usage();
          assert.equal(count, model.usage().blobs);
          assert.equal(live + dead + others, bytes, `after "${what}" the tenants have all that is counted`);
        }
        await disk.close();
      }),
      { numRuns: 30 },
    );
  });
}
