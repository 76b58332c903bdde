import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { StillageError } from "../../src/base/errors.ts";
import type { OpenCache } from "../../src/cache/open-cache.ts";
import { copyTo, flip, losses, makeOriginals, numbers, type Originals, open, wrongIn } from "./damaged-store.ts";

const pageBytes = 4096;

let made: Originals;
before(async () => {
  made = await makeOriginals();
});
after(() => made[Symbol.asyncDispose]());

/** Opens a damaged store as a server would; a refusal has to be one sentence. */
async function opened(directory: string, where: string): Promise<OpenCache | undefined> {
  try {
    return await open(directory);
  } catch (error) {
    assert.ok(error instanceof StillageError, `${where}: ${error}`);
    assert.match(error.code, /^(failed-precondition|corrupt)$/, where);
    return undefined;
  }
}

/** Repairs a store, and says what it has lost. */
async function lossesAfterRepair(store: string, where: string): Promise<{ blobs: string[]; refs: string[] }> {
  const repaired = await made.check(store, true);
  assert.equal(
    repaired.findings.unrepaired - (repaired.findings.counts.get("refs-lost") ?? 0),
    0,
    `${where}: ${wrongIn(repaired)}`,
  );
  const again = await made.check(store);
  assert.equal(again.findings.wrong, 0, `${where}: ${wrongIn(again)}`);
  const cache = await open(store);
  const lost = await losses(cache, made.contents);
  const refs = new Set(made.contents.refs.filter(({ space }) => space === "asset").map(({ name }) => name));
  // What is left is listed, too.
  const listed = await cache.refs.artifacts.count("");
  if (lost.refs.length === 0) assert.ok(listed > 0 && listed < refs.size, where);
  await cache.close();
  return lost;
}

describe("a file of names with damage", () => {
  it("in its header is read again", async () => {
    for (let bit = 0; bit < 100 * 8; bit += 97) {
      const store = copyTo(join(made.path, "closed"), join(made.path, "copy"));
      flip(join(store, "refs.sqlite"), bit);
      const where = `bit ${bit}`;
      await (await opened(copyTo(store, join(made.path, "served")), where))?.close();
      const lost = await lossesAfterRepair(store, where);
      assert.deepEqual(lost, { blobs: [], refs: [] }, where);
    }
  });

  it("anywhere else loses what stands on one page at most", async (t) => {
    const { size } = statSync(join(made.path, "closed", "refs.sqlite"));
    const random = numbers(5);
    let worst = 0;
    for (let n = 0; n < 12; n++) {
      const bit = Math.floor((100 + random.next().value * (size - 100)) * 8);
      const where = `bit ${bit} on page ${Math.floor(bit / 8 / pageBytes) + 1}`;
      const store = copyTo(join(made.path, "closed"), join(made.path, "copy"));
      flip(join(store, "refs.sqlite"), bit);
      await (await opened(copyTo(store, join(made.path, "served")), where))?.close();
      const lost = await lossesAfterRepair(store, where);
      assert.deepEqual(lost.blobs, [], where);
      assert.ok(lost.refs.length <= 12, `${where}: ${lost.refs.length} names lost`);
      worst = Math.max(worst, lost.refs.length);
    }
    t.diagnostic(`at most ${worst} of ${made.contents.refs.length} names were lost`);
  });

  it("on a whole page loses what stands there, and the rest is found", async (t) => {
    const { size } = statSync(join(made.path, "closed", "refs.sqlite"));
    for (let page = 1; page < size / pageBytes; page += 9) {
      const store = copyTo(join(made.path, "closed"), join(made.path, "copy"));
      const path = join(store, "refs.sqlite");
      const bytes = readFileSync(path);
      bytes.fill(0xa5, page * pageBytes, (page + 1) * pageBytes);
      writeFileSync(path, bytes);
      const lost = await lossesAfterRepair(store, `page ${page + 1}`);
      t.diagnostic(`page ${page + 1}: ${lost.refs.length} of ${made.contents.refs.length} names`);
      assert.deepEqual(lost.blobs, []);
    }
  });

  it("in the journal keeps what was written before it", async () => {
    const base = join(made.path, "killed");
    const { size } = statSync(join(base, "refs.sqlite-wal"));
    assert.ok(size > 50_000);
    const random = numbers(9);
    for (let n = 0; n < 3; n++) {
      const store = copyTo(base, join(made.path, "copy"));
      const at = Math.floor(random.next().value * size);
      flip(join(store, "refs.sqlite-wal"), at * 8 + n);
      const lost = await lossesAfterRepair(store, `byte ${at} of the journal`);
      assert.deepEqual(lost.blobs, []);
      const first = made.contents.refs.length / 3;
      const before = lost.refs.filter((name) => made.contents.refs.findIndex((ref) => ref.name === name) < first);
      assert.deepEqual(before, [], "names of an earlier run");
    }
  });

  it("cut short, or gone, keeps what can be read", async () => {
    const store = copyTo(join(made.path, "closed"), join(made.path, "copy"));
    const path = join(store, "refs.sqlite");
    truncateSync(path, Math.floor(statSync(path).size / 2 / pageBytes) * pageBytes);
    assert.deepEqual((await lossesAfterRepair(store, "half of it")).blobs, []);
    rmSync(path);
    assert.deepEqual((await lossesAfterRepair(store, "none of it")).blobs, []);
  });
});
