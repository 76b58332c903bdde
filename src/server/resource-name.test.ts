import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReadName, parseWriteName } from "./resource-name.ts";

const hash = "a".repeat(64);
const id = "6ea4fa0e-8d3a-4f6b-8a65-0b9e3b0c7a11";

const reads: Record<string, [instance: string, compression: string, fn: string, hashLength: number, size: number]> = {
  [`blobs/${hash}/5`]: ["", "identity", "sha256", 64, 5],
  [`main/blobs/${hash}/5`]: ["main", "identity", "sha256", 64, 5],
  [`team/alpha/blobs/${hash}/5`]: ["team/alpha", "identity", "sha256", 64, 5],
  [`blobs/sha256/${hash}/5`]: ["", "identity", "sha256", 64, 5],
  [`blobs/${"b".repeat(40)}/5`]: ["", "identity", "sha1", 40, 5],
  [`blobs/sha512/${"b".repeat(128)}/5`]: ["", "identity", "sha512", 128, 5],
  [`main/blobs/blake3/${hash}/5`]: ["main", "identity", "blake3", 64, 5],
  [`compressed-blobs/zstd/blake3/${hash}/5`]: ["", "zstd", "blake3", 64, 5],
  [`x/compressed-blobs/zstd/${hash}/5`]: ["x", "zstd", "sha256", 64, 5],
  [`compressed-blobs/zstd/sha384/${"c".repeat(96)}/5`]: ["", "zstd", "sha384", 96, 5],
};

for (const [name, [instance, compression, fn, hashLength, size]] of Object.entries(reads)) {
  test(`reads ${name.replace(/[abc]{40,}/, "HASH")}`, () => {
    const parsed = parseReadName(name);
    assert.deepEqual(
      [parsed.instance, parsed.compression, parsed.digest.function.name, parsed.digest.hash.length, parsed.digest.size],
      [instance, compression, fn, hashLength, size],
    );
  });
}

test("a write's name has an upload and may go on behind the size", () => {
  const parsed = parseWriteName(`team/alpha/uploads/${id}/blobs/${hash}/7/some/file.o`);
  assert.deepEqual([parsed.instance, parsed.upload, parsed.digest.size], ["team/alpha", id, 7]);
  assert.equal(parseWriteName(`uploads/u/compressed-blobs/zstd/${hash}/7`).compression, "zstd");
});

test("the names of the first gRPC clients are a digest alone, to read and to write", () => {
  assert.equal(parseReadName(`${hash}/5`).digest.size, 5);
  const { instance, digest } = parseWriteName(`${hash}/5`);
  assert.deepEqual([instance, digest.hash, digest.size], ["", hash, 5]);
});

const bad = [
  "",
  `${hash}/`,
  `${hash}/5/more`,
  `main/${hash}/5`,
  `${"b".repeat(40)}/5`,
  "blobs",
  `blobs/${hash}`,
  `blobs/${hash}/`,
  `blobs/${hash}/-1`,
  `blobs/${hash}/1e3`,
  `blobs/${hash}/99999999999999999`,
  `blobs/${hash}/5/more`,
  `blobs/${hash.toUpperCase()}/5`,
  `blobs/${hash}/0`,
  `blobs/sha1/${hash}/5`,
  `blobs/BLAKE3/${hash}/5`,
  `blobs/blake3/${"b".repeat(40)}/5`,
  `blobs/sha256tree/${hash}/5`,
  `compressed-blobs/deflate/${hash}/5`,
  `compressed-blobs/${hash}/5`,
  `uploads/${id}/blobs/${hash}/5`,
  `${"x/".repeat(600)}blobs/${hash}/5`,
];

for (const name of bad) {
  test(`refuses to read ${JSON.stringify(name.slice(0, 40))}`, () => {
    assert.throws(() => parseReadName(name), { code: "invalid" });
  });
}

for (const name of [
  `blobs/${hash}/5`,
  `uploads/blobs/${hash}/5`,
  `uploads//blobs/${hash}/5`,
  `uploads/${id}/${hash}/5`,
]) {
  test(`refuses to write ${JSON.stringify(name.slice(0, 40))}`, () => {
    assert.throws(() => parseWriteName(name), { code: "invalid" });
  });
}
