import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ostree, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { type DirTree, decodeDirTree, encodeDirTree } from "./dirtree.ts";
import { readTreeChecksums } from "./tree-checksums.ts";

const lists = () => ({
  files: new DigestList(ostree),
  directories: new DigestList(sha256),
  metas: new DigestList(sha256),
});
const hashes = (list: DigestList): string[] => Array.from({ length: list.length }, (_, i) => list.at(i).hash);

function read(bytes: Uint8Array) {
  const into = lists();
  const padded = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0xff])]);
  readTreeChecksums(padded, 1, padded.length - 1, into);
  return { files: hashes(into.files), directories: hashes(into.directories), metas: hashes(into.metas) };
}

const expected = ({ files, directories }: DirTree) => ({
  files: files.map(({ checksum }) => checksum),
  directories: directories.map(({ tree }) => tree),
  metas: directories.map(({ meta }) => meta),
});

const sum = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 5, unit: "grapheme" }),
  fc.integer({ min: 150, max: 300 }).map((length) => "n".repeat(length)),
);
const names = fc.uniqueArray(
  name.filter((each) => !/[/\0]/.test(each) && each !== "." && each !== ".."),
  { maxLength: 20 },
);
const anyTree: fc.Arbitrary<DirTree> = names.chain((all) =>
  fc.record({
    files: fc.tuple(...all.filter((_, i) => i % 2 === 0).map((name) => sum.map((checksum) => ({ name, checksum })))),
    directories: fc.tuple(
      ...all
        .filter((_, i) => i % 2 === 1)
        .map((name) => fc.tuple(sum, sum).map(([tree, meta]) => ({ name, tree, meta }))),
    ),
  }),
);

describe("the checksums in a dirtree", () => {
  it("are those that reading all of it gives, in order", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const bytes = encodeDirTree(tree);
        assert.deepEqual(read(bytes), expected(decodeDirTree(bytes)));
      }),
    );
  });

  it("are refused as invalid, or not, where bytes are anything, but nothing else happens", () => {
    const bytes = encodeDirTree({
      files: ["a", "b"].map((name) => ({ name, checksum: "1".repeat(64) })),
      directories: [{ name: "c", tree: "2".repeat(64), meta: "3".repeat(64) }],
    });
    const tries = (broken: Uint8Array): void => {
      try {
        read(broken);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "invalid");
        return;
      }
      assert.equal(read(broken).directories.length, read(broken).metas.length);
    };
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, byte, length) => {
        const broken = Uint8Array.from(bytes);
        broken[at] = byte;
        tries(broken);
        tries(broken.subarray(0, length));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), tries));
    assert.throws(() => read(new Uint8Array(0)), { code: "invalid" });
  });
});
