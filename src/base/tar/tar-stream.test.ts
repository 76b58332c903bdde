import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteSource, gather } from "./byte-source.ts";
import { readTar } from "./tar-reader.ts";
import { tarStream } from "./tar-stream.ts";

/** An archive as Python writes it into a stream, followed by `behind`. */
function archive(format: string, behind = ""): Buffer {
  const program = `
import io, sys, tarfile
tar = tarfile.open(mode="w|", fileobj=sys.stdout.buffer, format=tarfile.${format})
for name, size in (("a" * 64 + ".dirtree", 1), ("b" * 64 + ".filez", 5000), ("c" * 64 + ".commit", 0)):
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, 1234.5
    tar.addfile(info, io.BytesIO(b"x" * size))
tar.close()
sys.stdout.buffer.write(b"${behind}")
`;
  return execFileSync("python3", ["-c", program]);
}

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function taken(source: ByteSource): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of tarStream(source)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

describe("an archive in a stream", () => {
  for (const format of ["GNU_FORMAT", "PAX_FORMAT"]) {
    it(`of ${format} is taken to its end, however its bytes come`, async () => {
      const [alone, followed] = [archive(format), archive(format, "what follows")];
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1 }), async (sizes) => {
          const source = new ByteSource(inPieces(followed, sizes));
          assert.ok((await taken(source)).equals(alone));
          assert.equal(Buffer.from((await source.take(12)) ?? []).toString(), "what follows");
        }),
        { numRuns: 20 },
      );
    });
  }

  it("that breaks off anywhere is none", async () => {
    const whole = archive("PAX_FORMAT");
    for (let length = 0; length < whole.length; length += 512) {
      await assert.rejects(taken(new ByteSource(inPieces(whole.subarray(0, length), [700]))), {
        code: "failed-precondition",
      });
    }
  });

  it("is of the size that an extended header says", async () => {
    const whole = archive("PAX_FORMAT");
    const sized = Buffer.from(whole);
    // The second header of an entry, whose own size is made too small: the records say what it is.
    const record = Buffer.from("13 size=5000\n");
    const at = sized.indexOf("b".repeat(64)) - 512;
    record.copy(sized.fill(0, at, at + 512), at);
    setSize(sized, at - 512, record.length);
    setSize(sized, at + 512, 0);
    assert.ok((await taken(new ByteSource(inPieces(sized, [999])))).equals(sized));
    const sizes: number[] = [];
    for await (const entry of readTar(new ByteSource(inPieces(sized, [999])), { marked: true })) {
      if (entry.kind === "file") sizes.push((await gather(entry.size, entry.content())).length);
    }
    assert.deepEqual(sizes, [1, 5000, 0]);
  });

  it("has no directory or link with content, which some programs read as the next entry", async () => {
    for (const type of ["5", "2", "V"]) {
      const whole = archive("GNU_FORMAT");
      whole.write(type, 156, "latin1");
      setSize(whole, 0, 1);
      await assert.rejects(taken(new ByteSource(inPieces(whole, [999]))), /what is no file has a size/);
    }
  });

  it("whose end is marked by one block alone goes on, and is broken", async () => {
    const whole = archive("GNU_FORMAT");
    whole[whole.length - 1] = 1; // in the padding: whatever is there
    await taken(new ByteSource(inPieces(whole, [10_240])));
    const end = 3 * 512 + 512 + 5120; // three headers, one content of one block and one of ten
    whole[end + 512] = 1;
    await assert.rejects(taken(new ByteSource(inPieces(whole, [10_240]))), /one block of zeros/);
  });
});

/** Writes a size into the header at `at`, and its sum. */
function setSize(bytes: Buffer, at: number, size: number): void {
  bytes.write(`${size.toString(8).padStart(11, "0")}\0`, at + 124, "latin1");
  bytes.fill(" ", at + 148, at + 156);
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
}
