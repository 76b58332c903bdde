import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { textBlob } from "./local-place.fixture.ts";
import { PartialFile } from "./partial-file.ts";

test("a part that somebody goes on with is nobody else's, however long ago it was left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "partial-file-"));
  try {
    const { digest, bytes } = textBlob("0123456789".repeat(100));
    const left = join(folder, `${digest.hash}-${digest.size}.part`);
    await writeFile(left, bytes.subarray(0, 500));
    await utimes(left, 0, 0);
    const first = await PartialFile.take(folder, digest);
    const second = await PartialFile.take(folder, digest);
    assert.deepEqual([first.length, second.length], [500, 0]);
    await first.write(bytes.subarray(500));
    await first.publish(join(folder, "blob"), 0o444);
    await second.rest();
    assert.deepEqual(await readdir(folder), ["blob"]);
    assert.deepEqual(await readFile(join(folder, "blob")), Buffer.from(bytes));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a blob that the disk is told of while it comes is whole, and its part is gone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "partial-file-"));
  try {
    const { digest, bytes } = textBlob("0123456789".repeat(100));
    const half = await PartialFile.take(folder, digest, 64);
    for (let at = 0; at < 500; at += 50) await half.write(bytes.subarray(at, at + 50));
    await half.rest();
    const whole = await PartialFile.take(folder, digest, 64);
    assert.equal(whole.length, 500);
    for (let at = 500; at < 1000; at += 50) await whole.write(bytes.subarray(at, at + 50));
    assert.ok(await whole.isWhole());
    await whole.publish(join(folder, "blob"), 0o444);
    assert.deepEqual(await readdir(folder), ["blob"]);
    assert.deepEqual(await readFile(join(folder, "blob")), Buffer.from(bytes));
  } finally {
    await rm(folder, { recursive: true });
  }
});
