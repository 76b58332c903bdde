import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { freshDirectory, textBlob } from "./local-place.fixture.ts";
import { ShelfNames } from "./shelf-names.ts";

test("of many objects those are lacking that were not there, until they are written", async () => {
  await using at = await freshDirectory();
  const digests = Array.from({ length: 2000 }, (_, i) => textBlob(`object ${i}`).digest);
  const there = digests.filter((_, i) => i % 2 === 0);
  for (const { hash } of there) {
    await mkdir(join(at.path, hash.slice(0, 2)), { recursive: true });
    await writeFile(join(at.path, hash.slice(0, 2), hash.slice(2)), "");
  }
  const names = new ShelfNames(at.path);
  const lacking = () => digests.filter((digest) => names.lacks(digest));
  assert.deepEqual(lacking(), []);
  names.prepare(digests.slice(0, 10));
  assert.deepEqual(lacking(), [], "of few nothing is read");
  names.prepare(digests);
  const absent = digests.filter((digest) => !there.includes(digest));
  assert.deepEqual(lacking(), absent);
  for (const { hash } of absent.slice(0, 500)) names.add(hash);
  names.prepare(digests);
  assert.deepEqual(lacking(), absent.slice(500));
});

test("a folder with many more names than are asked for is not read", async () => {
  await using at = await freshDirectory();
  await mkdir(join(at.path, "ab"));
  for (let i = 0; i < 1500; i++) await writeFile(join(at.path, "ab", String(i).padStart(62, "0")), "");
  const digests = Array.from({ length: 1000 }, (_, i) => textBlob(`object ${i}`).digest);
  const inside = { ...textBlob("").digest, hash: `ab${"f".repeat(62)}` };
  const names = new ShelfNames(at.path);
  names.prepare([...digests, inside]);
  assert.equal(names.lacks(inside), false);
});
