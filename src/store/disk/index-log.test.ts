import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { sha1 } from "../../base/digest-function.ts";
import { noFaults } from "./faults.ts";
import { present, readBlocks, removed, writtenBlockRecords } from "./index-format.ts";
import { IndexLog } from "./index-log.ts";

it("a rewrite joins blocks, and leaves out what was removed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "index-"));
  try {
    const path = join(directory, "1.idx");
    const log = new IndexLog(path, sha1, noFaults);
    const words = new Uint32Array(sha1.words);
    for (let i = 0; i < 60; i++) {
      const record = { words, word: 0, offset: i * 10, size: 5, used: 0 };
      log.add({ kind: present, ...record }, (i + 1) * 10);
      await log.write();
      if (i % 3 === 0) log.add({ kind: removed, ...record });
    }
    const use = (records: Uint32Array, at: number): number | undefined => {
      const offset = records[at + sha1.words] as number;
      return offset % 30 === 0 ? undefined : offset;
    };
    await Promise.all([log.rewrite(use), log.rewrite(use)]);
    await log.close();
    const fd = openSync(path, "r");
    const { size } = fstatSync(fd);
    const blocks = [...readBlocks(fd, size, sha1)].map(({ count, covered }) => ({ count, covered }));
    closeSync(fd);
    assert.equal(log.length, size);
    assert.deepEqual(blocks, [{ count: 40, covered: 600 }]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

it("a block covers nothing that only the next one lists", async () => {
  const directory = await mkdtemp(join(tmpdir(), "index-"));
  try {
    const path = join(directory, "1.idx");
    const log = new IndexLog(path, sha1, noFaults);
    const words = new Uint32Array(sha1.words);
    const add = (count: number, from: number): void => {
      for (let i = from; i < from + count; i++) {
        log.add({ kind: present, words, word: 0, offset: i * 10, size: 5, used: 0 }, (i + 1) * 10);
      }
    };
    add(7, 0);
    await log.write();
    const many = writtenBlockRecords + 3;
    add(many, 7);
    await log.write();
    await log.close();
    const fd = openSync(path, "r");
    const blocks = [...readBlocks(fd, fstatSync(fd).size, sha1)].map(({ count, covered }) => ({ count, covered }));
    closeSync(fd);
    assert.deepEqual(blocks, [
      { count: 7, covered: 70 },
      { count: writtenBlockRecords, covered: 70 },
      { count: 3, covered: (7 + many) * 10 },
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
