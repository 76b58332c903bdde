import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { newPieceBuffer, PieceReader, pieceBytes } from "./piece-reader.ts";

const toll = async (): Promise<void> => {};

it("a piece goes on behind a read that ended early", async (t) => {
  // A file of the system's that gives a page or less at a time, whatever it is asked for.
  const reader = await PieceReader.open("/proc/kallsyms", newPieceBuffer(), toll).catch(() => undefined);
  if (reader === undefined) return t.skip("there is no such file");
  assert.equal((await reader.view(4050, 72)).length, pieceBytes - 4050);
  await reader.close();
});

it("a file is read to its last byte, wherever that is", async () => {
  const directory = mkdtempSync(join(tmpdir(), "stillage-pieces-"));
  const buffer = newPieceBuffer();
  for (const size of [0, 1, 4096, 5000, pieceBytes, pieceBytes + 4096, pieceBytes + 1]) {
    const path = join(directory, String(size));
    writeFileSync(path, Buffer.alloc(size, 7));
    const reader = await PieceReader.open(path, buffer, toll);
    let read = 0;
    for (let piece = await reader.view(0, 1); piece.length > 0; piece = await reader.view(read, 1))
      read += piece.length;
    assert.equal(read, size);
    await reader.close();
  }
  rmSync(directory, { recursive: true });
});
