import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { checksumOfFile } from "../filez.ts";
import { wholeBytes } from "./put-file.ts";
import { Folders } from "./repository.fixture.ts";

const header = { uid: 0, gid: 0, mode: 0o100644, symlink: "", xattrs: [] };

test("takes content whose pieces are all read into the same memory, small and large", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  await using change = await repository.begin();
  for (const size of [5000, wholeBytes + 5000]) {
    const content = randomBytes(size);
    const memory = Buffer.alloc(1200);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < size; at += memory.length) {
        const count = content.copy(memory, 0, at);
        yield memory.subarray(0, count);
      }
    }
    assert.equal(await change.putFile(header, size, pieces), checksumOfFile(header, content));
    for (const wrong of [size - 1, size + 1]) {
      await assert.rejects(change.putFile(header, wrong, pieces), { code: "invalid" });
    }
  }
});
