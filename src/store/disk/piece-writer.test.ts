import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { BufferPool } from "../../base/buffer-pool.ts";
import { HeldCalls } from "./held-calls.fixture.ts";
import { PieceWriter } from "./piece-writer.ts";

const lent = { durable: true, direct: false, lent: true };

async function withFile(body: (fd: number, path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "pieces-"));
  const path = join(directory, "file");
  const fd = openSync(path, "w");
  try {
    await body(fd, path);
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

/** Whether any of these has settled, once everything has that can. */
async function anySettled(...works: readonly Promise<unknown>[]): Promise<boolean> {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  for (const work of works) work.then(note, note);
  for (let i = 0; i < 3; i++) await turn();
  return settled;
}

describe("a writer that rests so that another can go on", () => {
  it("waits for the sync in the background, whose failure the other would not hear of", () =>
    withFile(async (fd) => {
      using syncs = new HeldCalls("fdatasync");
      const pool = new BufferPool(1 << 20, 2);
      const writer = new PieceWriter(fd, pool, lent);
      for (let i = 0; i < 9; i++) await writer.write(Buffer.alloc(1 << 20, i));
      const sync = await syncs.next();
      const rest = writer.rest();
      assert.equal(await anySettled(rest), false);
      sync.fail("EIO");
      await assert.rejects(rest, { code: "EIO" });
      await writer.close();
      assert.equal(pool.out, 0);
    }));

  it("has nothing under way when it has rested, though it was told to twice at a time", () =>
    withFile(async (fd, path) => {
      const bytes = randomBytes(1500);
      const pool = new BufferPool(1000, 2);
      const writer = new PieceWriter(fd, pool, lent);
      using writes = new HeldCalls("write");
      await writer.write(bytes);
      const rests = [writer.rest(), writer.rest()];
      (await writes.next()).go();
      await writes.next();
      assert.equal(await anySettled(...rests), false);
      writes.letGo();
      await Promise.all(rests);
      assert.deepEqual(writer.rested, { position: 1500, kept: new Uint8Array(0) });
      assert.equal(Buffer.compare(readFileSync(path), bytes), 0);
      assert.equal(pool.out, 0);
    }));
});
