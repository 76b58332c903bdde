import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { type FileHeader, fileChecksum, filezHead, maxHeaderBytes, parseFilezHead } from "./ostree-file.ts";
import { maxInstantPlain, ostreeHashOf, RunningOstreeHash } from "./ostree-hash.ts";

const header: FileHeader = { uid: 0, gid: 0, mode: 0o100644, symlink: "", xattrs: [] };
const link: FileHeader = { ...header, mode: 0o120777, symlink: "a" };
const emptyHash = "cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
const filez = (size: number, content: Uint8Array): Uint8Array => join(filezHead(header, size), deflateRawSync(content));

async function running(bytes: Uint8Array, piece: number): Promise<string> {
  const hash = new RunningOstreeHash();
  try {
    for (let at = 0; at < bytes.length; at += piece) await hash.update(bytes.subarray(at, at + piece));
    return await hash.digest();
  } finally {
    hash.close();
  }
}

/** Bytes of which deflate makes about as many. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const small: Record<string, [bytes: string, checksum: string]> = {
  "the empty file": [
    "0000001a0000000000000000000000000000000000000000000081a400000000001903 00".replace(" ", ""),
    emptyHash,
  ],
  "a file": [
    "0000001a0000000000000000000000060000000000000000000081ed000000000019cb48cdc9c9e70200",
    "d6f58149fd47ec2be3fafef4fe767915f195e7ae67b9a0c090b842b156cd07f3",
  ],
  "a link": [
    "000000230000000000000000000000000000000000000000" + "0000a1ff0000000068656c6c6f2e74787400" + "22",
    "f66efa496a72379413c44593de510dc344beb045294f1a543da87b2b6118db35",
  ],
};

for (const [what, [bytes, checksum]] of Object.entries(small)) {
  test(`${what} has its hash`, async () => {
    assert.equal(ostreeHashOf(hex(bytes)), checksum);
    for (const piece of [1, 7, 1000]) assert.equal(await running(hex(bytes), piece), checksum);
  });
}

test("a file that comes in pieces has the hash of its header and its plain content", async () => {
  for (const [content, piece] of [
    [noise(300_000), 65_536],
    [noise(200_000), 1_000],
    [new Uint8Array(3_000_000), 100],
    [new Uint8Array(0), 100],
  ] as const) {
    const hash = fileChecksum(header);
    hash.update(content);
    const expected = hash.digest("hex");
    const bytes = filez(content.length, content);
    assert.equal(await running(bytes, piece), expected);
    if (content.length <= maxInstantPlain) assert.equal(ostreeHashOf(bytes), expected);
    else assert.throws(() => ostreeHashOf(bytes), { code: "exhausted" });
  }
});

const big = noise(200_000);
const attributes = { name: Uint8Array.of(97, 0), value: new Uint8Array(200_000) };

test("a header may be larger than what is gathered", async () => {
  const large: FileHeader = { ...header, xattrs: [attributes] };
  const bytes = join(filezHead(large, big.length), deflateRawSync(big));
  const hash = fileChecksum(large);
  hash.update(big);
  assert.equal(await running(bytes, 1_000), hash.digest("hex"));
});

const whole = filez(6, Buffer.from("hello\n"));
const wholeBig = filez(big.length, big);
const withByte = (bytes: Uint8Array, at: number, to: number): Uint8Array => bytes.with(at, to);
const pretend = (size: number, content: Uint8Array) => filez(size, content);

const bad: Record<string, Uint8Array> = {
  "no bytes": new Uint8Array(),
  "half a length": whole.subarray(0, 3),
  "half a header": whole.subarray(0, 20),
  "a header without content": whole.subarray(0, 34),
  "a header that is too long": withByte(whole, 0, 1),
  "a header of no bytes": new Uint8Array(8),
  "bytes before the header that are not zero": withByte(whole, 5, 1),
  "another length of the header": withByte(whole, 3, 0x19),
  "a device": withByte(whole, 28, 1),
  "a directory": withByte(whole, 26, 0x41),
  "a mode of no type": withByte(whole, 26, 0x01),
  "a size of more than can be counted": withByte(whole, 8, 1),
  "a file with a target": join(
    hex("0000001b0000000000000000000000000000000000000000000081a4000000006100"),
    hex("1a0300"),
  ),
  "a link without a target": hex(
    "0000001a000000000000000000000000000000000000000000 00a1ff000000000019".replace(" ", ""),
  ),
  "a link of some size": withByte(join(filezHead(link, 0)), 15, 1),
  "a link with content": join(filezHead(link, 0), hex("0300")),
  "a byte behind the content": join(whole, hex("00")),
  "a second stream behind the content": join(whole, deflateRawSync(Buffer.from("x"))),
  "a cut content": whole.subarray(0, -1),
  "content that is no deflate stream": join(filezHead(header, 1), hex("ffffffff")),
  "less content than it says": pretend(7, Buffer.from("hello\n")),
  "more content than it says": pretend(5, Buffer.from("hello\n")),
  "content where it says that there is none": pretend(0, Buffer.from("x")),
  "a bomb": pretend(10, new Uint8Array(5_000_000)),
  "a size that its bytes cannot become": pretend(2 ** 40, Buffer.from("x")),
  "large: a byte behind the content": join(wholeBig, hex("00")),
  "blocks without content": join(
    filezHead(header, 1),
    Buffer.alloc(5 * 14_000, hex("000000ffff")),
    hex("010100feff61"),
  ),
  "large: a cut content": wholeBig.subarray(0, -1),
  "large: less content than it says": pretend(big.length + 1, big),
  "large: more content than it says": pretend(big.length - 1, big),
  "large: damaged content": join(filezHead(header, big.length), new Uint8Array(100_000).fill(255)),
};

for (const [what, bytes] of Object.entries(bad)) {
  test(`refuses ${what}`, async () => {
    await assert.rejects(running(bytes, 50_000), { code: "invalid" });
    await assert.rejects(running(bytes, 1_000), { code: "invalid" });
    const head = attempt(() => parseFilezHead(bytes));
    if (head === undefined || head.size <= maxInstantPlain)
      assert.throws(() => ostreeHashOf(bytes), { code: "invalid" });
  });
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}

test("a bomb is stopped long before its end", async () => {
  const bomb = pretend(1_500_000, join(noise(100_000), new Uint8Array(20_000_000)));
  const hash = new RunningOstreeHash();
  await assert.rejects(async () => hash.update(bomb), { code: "invalid", message: /larger than the 1500000 bytes/ });
  hash.close();
  await assert.rejects(hash.digest(), { code: "invalid" });
});

const badHeaders: Record<string, Partial<FileHeader>> = {
  "attributes out of order": {
    xattrs: [
      { ...attributes, name: Uint8Array.of(98, 0) },
      { ...attributes, name: Uint8Array.of(97, 0) },
    ],
  },
  "an attribute twice": {
    xattrs: [
      { ...attributes, value: hex("00") },
      { ...attributes, value: hex("01") },
    ],
  },
  "an attribute without name": { xattrs: [{ name: Uint8Array.of(0), value: hex("00") }] },
  "an attribute whose name goes on": { xattrs: [{ name: Uint8Array.of(97, 0, 98, 0), value: hex("00") }] },
  "a negative user": { uid: -1 },
  "a directory's mode": { mode: 0o040755 },
  "more than a mode": { mode: 0o1100644 },
  "a target for a file": { symlink: "a" },
  "a target with NUL": { mode: 0o120777, symlink: "a\0b" },
  "too many attributes": { xattrs: [{ name: Uint8Array.of(97, 0), value: new Uint8Array(maxHeaderBytes) }] },
};

for (const [what, wrong] of Object.entries(badHeaders)) {
  test(`does not write ${what}`, () => assert.throws(() => filezHead({ ...header, ...wrong }, 0), { code: "invalid" }));
}
