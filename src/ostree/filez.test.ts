import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { character } from "../base/gvariant/arbitrary.fixture.ts";
import type { FileHeader } from "../base/ostree-file.ts";
import { ostreeHashOf } from "../base/ostree-hash.ts";
import { checksumOfFile, encodeFilez, readFilez } from "./filez.ts";

const header: FileHeader = { uid: 0, gid: 0, mode: 0o100755, symlink: "", xattrs: [] };

class Pieces implements AsyncIterable<Uint8Array> {
  closed = 0;
  private readonly bytes: Uint8Array;
  private readonly length: number;

  constructor(bytes: Uint8Array, length: number) {
    this.bytes = bytes;
    this.length = length;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    let at = 0;
    return {
      next: async () => {
        const value = this.bytes.subarray(at, at + this.length);
        at += this.length;
        return value.length === 0 ? { done: true, value: undefined } : { done: false, value };
      },
      return: async () => {
        this.closed++;
        return { done: true, value: undefined };
      },
    };
  }
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Uint8Array.from(Buffer.concat(pieces));
}

const xattrs = fc
  .uniqueArray(fc.tuple(fc.uint8Array({ min: 1, minLength: 1, maxLength: 5 }), fc.uint8Array({ maxLength: 9 })), {
    selector: ([name]) => String(name),
    maxLength: 3,
  })
  .map((list) =>
    list
      .map(([name, value]) => ({ name: Uint8Array.from([...name, 0]), value }))
      .toSorted((a, b) => Buffer.compare(a.name, b.name)),
  );
const id = fc.integer({ min: 0, max: 0xffffffff });
const target = fc.string({ unit: character, minLength: 1, maxLength: 20 });
const headers = fc
  .tuple(id, id, fc.nat(0o7777), fc.option(target), xattrs)
  .map(([uid, gid, bits, symlink, attributes]): FileHeader => {
    return {
      uid,
      gid,
      mode: (symlink === null ? 0o100000 : 0o120000) | bits,
      symlink: symlink ?? "",
      xattrs: attributes,
    };
  });

test("what is packed is read as what it was, in pieces of any length", async () => {
  const content = fc.uint8Array({ maxLength: 3000 });
  const property = fc.asyncProperty(headers, content, fc.integer({ min: 1, max: 4000 }), async (each, bytes, piece) => {
    const plain = each.symlink === "" ? bytes : new Uint8Array();
    const packed = encodeFilez(each, plain);
    const checksum = checksumOfFile(each, plain);
    assert.equal(ostreeHashOf(packed), checksum);
    const source = new Pieces(packed, piece);
    const read = await readFilez(source, checksum);
    assert.deepEqual(read.header, each);
    assert.equal(read.size, plain.length);
    assert.deepEqual(await all(read.content), plain);
    assert.equal(source.closed, 1);
  });
  await fc.assert(property, { numRuns: 40 });
});

test("another checksum than was given is told at the end", async () => {
  const plain = new Uint8Array(100_000).fill(7);
  const source = new Pieces(encodeFilez(header, plain), 50);
  const { content } = await readFilez(source, "0".repeat(64));
  await assert.rejects(all(content), { code: "invalid", message: /is not 0000/ });
  assert.equal(source.closed, 1);
});

test("a source is closed when its object cannot be read, and when nobody reads it", async () => {
  const cut = new Pieces(encodeFilez(header, Buffer.from("text")).subarray(0, 20), 5);
  await assert.rejects(readFilez(cut), { code: "invalid" });
  assert.equal(cut.closed, 1);
  const whole = new Pieces(encodeFilez(header, Buffer.from("text")), 5);
  await (await readFilez(whole)).close();
  assert.ok(whole.closed >= 1);
  const left = new Pieces(encodeFilez(header, new Uint8Array(1_000_000)), 50);
  for await (const _ of (await readFilez(left)).content) break;
  assert.equal(left.closed, 1);
});

test("content that is longer or shorter than the header says is refused where it is read", async () => {
  const packed = encodeFilez(header, new Uint8Array(100_000));
  for (const size of [99_999, 100_001]) {
    const lying = Uint8Array.from(packed);
    new DataView(lying.buffer).setUint32(12, size);
    await assert.rejects(async () => all((await readFilez(new Pieces(lying, 10))).content), { code: "invalid" });
  }
});
