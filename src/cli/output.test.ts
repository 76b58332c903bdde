import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { standardOutput } from "./output.ts";

/** Takes this many pieces, and then fails in this way each time. */
function failing(pieces: number, code: string): { stream: Writable; taken: string[] } {
  const taken: string[] = [];
  const stream = new Writable({
    autoDestroy: false,
    write(piece: Buffer, _encoding, done) {
      if (taken.length === pieces) return done(Object.assign(new Error(code), { code }));
      taken.push(piece.toString());
      done();
    },
  });
  return { stream, taken };
}

test("a full disk is a failure of whoever writes, once and for all", async () => {
  const { stream, taken } = failing(1, "ENOSPC");
  const { write } = standardOutput(stream);
  assert.equal(await write("a"), true);
  const full = { code: "exhausted", message: "writing to standard output: the disk is full (ENOSPC)" };
  // As it is where nobody waits for one before the next.
  const both = [write("b"), write("c")];
  for (const each of both) await assert.rejects(each, full);
  await assert.rejects(write("d"), full);
  assert.deepEqual(taken, ["a"]);
});

test("a reader that has gone is told, and no failure", async () => {
  const { stream } = failing(0, "EPIPE");
  const { write } = standardOutput(stream);
  assert.deepEqual([await write("a"), await write("b")], [false, false]);
});

test("waits without listeners of its own, however many lines a slow reader is behind", async () => {
  const held: (() => void)[] = [];
  const stream = new Writable({ highWaterMark: 1, write: (_piece, _encoding, done) => void held.push(done) });
  const { write } = standardOutput(stream);
  const before = stream.listenerCount("drain") + stream.listenerCount("error");
  const lines = Array.from({ length: 50 }, () => write("line\n"));
  assert.equal(stream.listenerCount("drain") + stream.listenerCount("error"), before);
  for (const _ of lines) held.shift()?.();
  await Promise.race(lines);
});
