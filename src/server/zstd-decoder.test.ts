import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { constants, zstdCompressSync } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import { ZstdDecoder } from "./zstd-decoder.ts";

const plain = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000), randomBytes(10)]);
const packed = zstdCompressSync(plain);

async function decode(pieces: readonly Uint8Array[], sink?: (chunk: Uint8Array) => void): Promise<Buffer> {
  const got: Buffer[] = [];
  const decoder = new ZstdDecoder((chunk) => {
    sink?.(chunk);
    got.push(Buffer.from(chunk));
  });
  try {
    for (const piece of pieces) await decoder.write(piece);
    await decoder.end();
  } finally {
    decoder.destroy();
  }
  return Buffer.concat(got);
}

const cut = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

test("gives back what was compressed, however it is cut", async () => {
  for (const size of [packed.length, 1000, 65_536]) assert.deepEqual(await decode(cut(packed, size)), plain);
});

test("a piece may change once it is taken", async () => {
  const pieces = cut(packed, 50_000);
  const got: Buffer[] = [];
  const decoder = new ZstdDecoder((chunk) => void got.push(Buffer.from(chunk)));
  const shared = Buffer.alloc(50_000);
  for (const piece of pieces) {
    shared.set(piece);
    await decoder.write(shared.subarray(0, piece.length));
    shared.fill(0);
  }
  await decoder.end();
  assert.deepEqual(Buffer.concat(got), plain);
});

const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

test("takes several frames, and those that hold nothing", async () => {
  const frames = Buffer.concat([skippable, packed, skippable, packed]);
  assert.deepEqual(await decode(cut(frames, 5000)), Buffer.concat([plain, plain]));
});

const bad: Record<string, Uint8Array> = {
  "something behind a frame": Buffer.concat([packed, Buffer.from("and more")]),
  "pieces of something behind a frame": Buffer.concat([packed, randomBytes(5000)]),
  "one byte behind a frame": Buffer.concat([packed, Buffer.of(0)]),
  "what is not zstd": randomBytes(1000),
  "a cut frame": packed.subarray(0, packed.length - 5),
  "a window beyond the bound": zstdCompressSync(Buffer.alloc(64 << 20), {
    params: { [constants.ZSTD_c_windowLog]: 26, [constants.ZSTD_c_contentSizeFlag]: 0 },
  }),
};

for (const [what, bytes] of Object.entries(bad)) {
  test(`refuses ${what}`, async () => {
    await assert.rejects(decode(cut(bytes, 500)), { code: "invalid" });
  });
}

test("the sink's refusal ends it", async () => {
  const refuse = (): never => {
    throw new StillageError("exhausted", "enough");
  };
  await assert.rejects(decode(cut(packed, 1000), refuse), { code: "exhausted" });
});

test("a write leaves nothing behind", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const frame = zstdCompressSync(randomBytes(20_000));
  const decoder = new ZstdDecoder(() => {});
  await decoder.write(frame.subarray(0, 1000));
  const before = used();
  for (const piece of cut(frame.subarray(1000), 2)) await decoder.write(piece);
  assert.ok(used() - before < 2_000_000, `${used() - before} bytes are kept`);
  await decoder.end();
});
