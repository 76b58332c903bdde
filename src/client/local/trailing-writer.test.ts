import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { closeFile, openFile } from "../../store/disk/file-io.ts";
import { freshDirectory } from "./local-place.fixture.ts";
import { TrailingWriter } from "./trailing-writer.ts";

test("a file has what was added, in its order, however it was cut", async () => {
  await using at = await freshDirectory();
  const path = join(at.path, "file");
  const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1, max: 50 }), async (added, pieceBytes) => {
      await writeFile(path, "before");
      const fd = await openFile(path, "r+");
      const out = new TrailingWriter(fd, 6, pieceBytes);
      for (const part of added) {
        const bytes = Uint8Array.from(part);
        await out.add(bytes);
        bytes.fill(0);
        assert.ok(out.writtenTo <= out.end);
      }
      await out.flush();
      await closeFile(fd);
      const all = Buffer.concat([Buffer.from("before"), ...added]);
      assert.deepEqual([out.end, out.writtenTo], [all.length, all.length]);
      assert.ok((await readFile(path)).equals(all));
    }),
    { numRuns: 50 },
  );
});

test("what a piece fails with all later calls fail with, and nothing is written any more once it rests", async () => {
  await using at = await freshDirectory();
  const path = join(at.path, "file");
  await writeFile(path, "");
  const fd = await openFile(path, "r");
  const out = new TrailingWriter(fd, 0, 4);
  await out.add(Buffer.from("12345"));
  await out.rest();
  for (const call of [() => out.add(Buffer.from("6789")), () => out.flush(), () => out.flush()]) {
    await assert.rejects(call(), { code: "EBADF" });
  }
  assert.equal(out.writtenTo, 0);
  await closeFile(fd);
});
