import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { isLocked, lockDirectory } from "./directory-lock.ts";

it("says whether a directory is locked, and changes nothing", async () => {
  const directory = await mkdtemp(join(tmpdir(), "stillage-lock-"));
  try {
    assert.equal(isLocked(directory), false);
    assert.deepEqual(await readdir(directory), []);
    const lock = lockDirectory(directory);
    assert.equal(isLocked(directory), true);
    assert.throws(() => lockDirectory(directory), { code: "failed-precondition" });
    lock.release();
    assert.equal(isLocked(directory), false);
    lockDirectory(directory).release();
  } finally {
    await rm(directory, { recursive: true });
  }
});
