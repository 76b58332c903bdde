import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { digestOf, emptyDigest, parseDigest, showDigest } from "../base/digest.ts";
import { type DigestFunction, digestFunctions, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { DirectorySchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { readChildren, readDirectories } from "./directory-children.ts";
import { messageOf } from "./tree.fixture.ts";

interface Read {
  readonly files: string[];
  readonly directories: string[];
}

const shown = (list: DigestList): string[] => Array.from({ length: list.length }, (_, i) => showDigest(list.at(i)));

function readByHand(fn: DigestFunction, bytes: Uint8Array): Read {
  const into = { files: new DigestList(fn), directories: new DigestList(fn) };
  const padded = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0xff])]);
  readChildren(padded, 1, padded.length - 1, into);
  return { files: shown(into.files), directories: shown(into.directories) };
}

/** The same by the generated code, and by the rule in words: entries have a digest of the function; empty blobs are left out. */
function readGenerated(fn: DigestFunction, bytes: Uint8Array): Read {
  const directory = fromBinary(DirectorySchema, bytes);
  const digests = (nodes: typeof directory.files | typeof directory.directories): string[] =>
    nodes
      .map(({ digest }) => parseDigest(digest?.hash ?? "", digest?.sizeBytes ?? 0n, fn))
      .filter((digest) => digest.size !== 0)
      .map(showDigest);
  return { files: digests(directory.files), directories: digests(directory.directories) };
}

const anyDirectory = fc
  .tuple(fc.constantFrom(...digestFunctions), fc.array(fc.tuple(fc.string(), fc.nat(30), fc.nat(2)), { maxLength: 30 }))
  .map(([fn, entries]) => {
    const directory: MessageInitShape<typeof DirectorySchema> = { files: [], directories: [], symlinks: [] };
    for (const [name, number, kind] of entries) {
      const known = number === 0 ? emptyDigest(fn) : digestOf(fn, Buffer.alloc(number * number, name));
      const digest = messageOf(known);
      const nodeProperties = number % 3 === 0 ? { unixMode: 0o644, properties: [{ name, value: name }] } : {};
      if (kind === 0) directory.files?.push({ name, digest, isExecutable: number % 2 === 0, nodeProperties });
      else if (kind === 1) directory.directories?.push({ name, digest });
      else directory.symlinks?.push({ name, target: name });
    }
    return { fn, bytes: toBinary(DirectorySchema, create(DirectorySchema, directory)) };
  });

describe("readChildren", () => {
  it("reads what the generated code reads", () => {
    fc.assert(
      fc.property(anyDirectory, ({ fn, bytes }) => assert.deepEqual(readByHand(fn, bytes), readGenerated(fn, bytes))),
    );
  });

  it("reads the directories alone, with empty ones", () => {
    fc.assert(
      fc.property(anyDirectory, ({ fn, bytes }) => {
        const directories = new DigestList(fn);
        readDirectories(bytes, directories);
        const nodes = fromBinary(DirectorySchema, bytes).directories;
        assert.deepEqual(
          shown(directories),
          nodes.map(({ digest }) => `${digest?.hash}/${digest?.sizeBytes}`),
        );
      }),
    );
  });

  it("reads messages in a row, and refuses a cut one, as the generated code does", () => {
    const refused = (read: () => unknown): boolean => {
      try {
        read();
        return false;
      } catch {
        return true;
      }
    };
    fc.assert(
      fc.property(anyDirectory, anyDirectory, fc.nat(), (one, two, at) => {
        const row = Buffer.concat([one.bytes, one.fn === two.fn ? two.bytes : one.bytes]);
        assert.deepEqual(readByHand(one.fn, row), readGenerated(one.fn, row));
        const cut = row.subarray(0, at % (row.length + 1));
        assert.equal(
          refused(() => readByHand(one.fn, cut)),
          refused(() => readGenerated(one.fn, cut)),
        );
      }),
    );
  });

  it("gives proper digests of damaged messages, or refuses them", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyDirectory, damage, ({ fn, bytes }, changes) => {
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        try {
          const { files, directories } = readByHand(fn, bytes);
          for (const text of [...files, ...directories]) {
            const [found, size] = text.split("/");
            assert.equal(showDigest(parseDigest(found ?? "", Number(size), fn)), text);
          }
        } catch (error) {
          assert.ok(error instanceof StillageError && error.code === "invalid", String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  const hash = digestOf(sha256, Buffer.from("a")).hash;
  const field = (number: number, value: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
  const file = (...digests: Uint8Array[]): Buffer => field(1, Buffer.concat(digests.map((each) => field(2, each))));
  const hashField = (text: string): Buffer => field(1, Buffer.from(text));
  const size = (...bytes: number[]): Buffer => Buffer.from([0x10, ...bytes]);

  it("merges a digest that comes in parts", () => {
    const bytes = file(hashField(hash), size(7));
    assert.deepEqual(readByHand(sha256, bytes), { files: [`${hash}/7`], directories: [] });
    assert.deepEqual(readGenerated(sha256, bytes), { files: [`${hash}/7`], directories: [] });
  });

  const bad: [what: string, bytes: Buffer][] = [
    ["a file without a digest", field(1, hashField("name"))],
    ["a directory without a digest", field(2, hashField("name"))],
    ["an empty digest", file(Buffer.alloc(0))],
    ["a hash without a size", file(hashField(hash))],
    ["a size without a hash", file(size(1))],
    ["a short hash", file(Buffer.concat([hashField(hash.slice(1)), size(1)]))],
    ["a long hash", file(Buffer.concat([hashField(`${hash}0`), size(1)]))],
    ["an upper-case hash", file(Buffer.concat([hashField(hash.toUpperCase()), size(1)]))],
    ["a hash of another function", file(Buffer.concat([hashField(hash.slice(0, 40)), size(1)]))],
    ["a hash that is no hex", file(Buffer.concat([hashField("g".repeat(64)), size(1)]))],
    ["a negative size", file(Buffer.concat([hashField(hash), size(...Array(9).fill(0xff), 1)]))],
    ["a size beyond 2^53", file(Buffer.concat([hashField(hash), size(...Array(8).fill(0x80), 1)]))],
    ["the empty blob's hash with a size", file(Buffer.concat([hashField(emptyDigest(sha256).hash.slice(1)), size(0)]))],
    ["a field that is cut", file(Buffer.concat([hashField(hash), size(1)])).subarray(0, 40)],
    ["a length beyond the end", Buffer.from([0x0a, 0x7f, 0x00])],
    ["a length that does not end", Buffer.from([0x0a, ...Array(11).fill(0x80)])],
    ["a group without an end", Buffer.from([0x0b])],
    ["field 0", Buffer.from([0x02, 0x00])],
    ["bytes of something else", Buffer.from("#!/bin/sh\nexit 0\n")],
  ];
  for (const [what, bytes] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => readByHand(sha256, bytes), { code: "invalid" });
    });
  }
});
