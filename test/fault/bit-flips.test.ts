import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  copyTo,
  filesIn,
  flip,
  losses,
  makeOriginals,
  numbers,
  type Originals,
  open,
  wrongIn,
} from "./damaged-store.ts";

/** Flips of each kind: enough to meet heads, data, blocks and pages, few enough for every run. */
const flipsOfKind = 2;

const kinds: readonly { readonly name: string; readonly file: RegExp; readonly from?: number; readonly to?: number }[] =
  [
    { name: "the header of a pack", file: /\.pack$/, to: 16 },
    { name: "the head of the first record", file: /\.pack$/, from: 16, to: 16 + 72 },
    { name: "a pack", file: /\.pack$/, from: 16 },
    { name: "the header of an index file", file: /\d\.idx$/, to: 16 },
    { name: "the head of an index block", file: /\d\.idx$/, from: 16, to: 32 },
    { name: "an index file", file: /\d\.idx$/, from: 32 },
    { name: "the journal of large blobs", file: /files\.idx$/ },
    { name: "a large blob", file: /\/files\/../ },
  ];

let made: Originals;
before(async () => {
  made = await makeOriginals();
});
after(() => made[Symbol.asyncDispose]());

for (const base of ["closed", "killed"]) {
  describe(`a store that was ${base}`, () => {
    it("has nothing wrong, and is as it was after a repair", async () => {
      const store = copyTo(join(made.path, base), join(made.path, "copy"));
      for (const repair of [false, true, false]) {
        const result = await made.check(store, repair);
        assert.equal(result.findings.wrong, 0, wrongIn(result));
      }
      const cache = await open(store);
      assert.deepEqual(await losses(cache, made.contents), { blobs: [], refs: [] });
      await cache.close();
    });

    for (const [k, { name, file, from = 0, to = Number.POSITIVE_INFINITY }] of kinds.entries()) {
      it(`with a flipped bit in ${name} loses one blob at most, and is mended`, async (t) => {
        const files = filesIn(join(made.path, base))
          .filter((each) => file.test(each))
          .sort();
        if (files.length === 0) return t.diagnostic("there is no such file");
        const random = numbers(k + 1);
        for (let n = 0; n < flipsOfKind; n++) {
          const path = files[Math.floor(random.next().value * files.length)] as string;
          const size = Math.min(to, statSync(join(made.path, base, path)).size) - from;
          if (size <= 0) continue;
          const bit = from * 8 + Math.floor(random.next().value * size * 8);
          await flipAndMend(join(made.path, base), path, bit);
        }
      });
    }
  });
}

/** What does not hold for every flip, wherever it is, says where it was. */
async function flipAndMend(base: string, path: string, bit: number): Promise<void> {
  const where = `bit ${bit} of ${path}`;
  // A server that starts without a check serves everything but what the bit is in.
  const served = copyTo(base, join(made.path, "served"));
  flip(join(served, path), bit);
  const cache = await open(served);
  const lost = await losses(cache, made.contents);
  await cache.close();
  assert.ok(lost.blobs.length <= 1 && lost.refs.length === 0, `${where}: ${lost.blobs.length} blobs lost in a server`);

  const store = copyTo(base, join(made.path, "copy"));
  flip(join(store, path), bit);
  const first = await made.check(store);
  const repaired = await made.check(store, true);
  assert.equal(repaired.findings.wrong, first.findings.wrong, where);
  assert.equal(repaired.findings.unrepaired, 0, `${where}: ${wrongIn(repaired)}`);
  const again = await made.check(store);
  assert.equal(again.findings.wrong, 0, `${where}, after a repair: ${wrongIn(again)}`);
  const mended = await open(store);
  const left = await losses(mended, made.contents);
  assert.ok(left.blobs.length <= 1 && left.refs.length === 0, `${where}: ${left.blobs.length} blobs lost by a repair`);
  if (left.blobs.length > 0 || lost.blobs.length > 0)
    assert.ok(first.findings.kept.length > 0, `${where} was not found`);
  await Promise.all(
    made.contents.blobs.map(({ instance, digest, bytes }) => mended.store.tenant(instance).put(digest, bytes)),
  );
  assert.deepEqual((await losses(mended, made.contents)).blobs, [], `${where}: not healed`);
  await mended.close();
}
