import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { character } from "../base/gvariant/arbitrary.fixture.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import { type DirTree, decodeDirTree, encodeDirTree } from "./dirtree.ts";
import { bytesOfHex, hex } from "./vectors.fixture.ts";

const type = "(a(say)a(sayay))";

const sum = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex);
const name = fc
  .string({ unit: character, minLength: 1, maxLength: 300 })
  .filter((text) => !/[\0/]/.test(text) && text !== "." && text !== "..");
const trees: fc.Arbitrary<DirTree> = fc.uniqueArray(name, { maxLength: 30 }).chain((names) =>
  fc
    .record({
      split: fc.nat(names.length),
      sums: fc.array(fc.tuple(sum, sum), { minLength: names.length, maxLength: names.length }),
    })
    .map(({ split, sums }) => {
      const [checksum, tree, meta] = ["", "", ""];
      const entries = names.map((each, i) => ({ name: each, sums: sums[i] ?? [checksum, tree, meta] }));
      return {
        files: entries.slice(0, split).map((each) => ({ name: each.name, checksum: each.sums[0] ?? "" })),
        directories: entries
          .slice(split)
          .map((each) => ({ name: each.name, tree: each.sums[0] ?? "", meta: each.sums[1] ?? "" })),
      };
    }),
);

const byBytes = (a: { name: string }, b: { name: string }) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

/** The dirtree by the general writer, in the order that is given. */
function generally({ files, directories }: DirTree): Uint8Array {
  return encode(type, [
    files.map((each) => [each.name, bytesOfHex(each.checksum)]),
    directories.map((each) => [each.name, bytesOfHex(each.tree), bytesOfHex(each.meta)]),
  ]);
}

test("directories are written as the general writer writes them, sorted by bytes, and read as they were", () => {
  fc.assert(
    fc.property(trees, (tree) => {
      const sorted = { files: tree.files.toSorted(byBytes), directories: tree.directories.toSorted(byBytes) };
      const bytes = encodeDirTree(tree);
      assert.equal(hex(bytes), hex(generally(sorted)));
      assert.deepEqual(decodeDirTree(bytes), sorted);
    }),
  );
});

test("what is read here can be read by the general reader, and has one form", () => {
  const flip = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
  let read = 0;
  fc.assert(
    fc.property(trees, fc.array(flip, { maxLength: 1 }), (tree, flips) => {
      const bytes = encodeDirTree(tree);
      for (const { at, to } of flips) bytes[at % bytes.length] = to;
      let found: DirTree;
      try {
        found = decodeDirTree(bytes);
      } catch (error) {
        assert.equal((error as { code: string }).code, "invalid");
        return;
      }
      read++;
      assert.equal(hex(encodeDirTree(found)), hex(bytes));
      decode(type, bytes);
    }),
    { numRuns: 300 },
  );
  assert.ok(read > 20, "some of it can be read");
});

const a = "aa".repeat(32);
const file = (each: string) => ({ name: each, checksum: a });
const directory = (each: string) => ({ name: each, tree: a, meta: a });
const files = (...names: string[]) => generally({ files: names.map(file), directories: [] });
const good = files("a", "b");
const changed = (at: number, to: number) => good.with(at < 0 ? good.length + at : at, to);

const bad: Record<string, Uint8Array> = {
  "no bytes": new Uint8Array(),
  "an offset beyond the end": Uint8Array.of(1),
  "a name twice": files("a", "a"),
  "names that are not in order": files("b", "a"),
  "the order of JavaScript": files("\u{1d4b3}", "\uffee"),
  "directories that are not in order": generally({ files: [], directories: [directory("b"), directory("a")] }),
  "a name of a file and a directory": generally({
    files: [file("a"), file("c")],
    directories: [directory("b"), directory("c")],
  }),
  "an empty name": files(""),
  "the name .": files("."),
  "the name ..": files(".."),
  "a name with a slash": files("a/b"),
  "a directory with a slash": generally({ files: [], directories: [directory("/")] }),
  "a checksum of 31 bytes": encode(type, [[["a", new Uint8Array(31)]], []]),
  "no checksum": encode(type, [[["a", new Uint8Array()]], []]),
  "a directory with checksums of 31 and 33 bytes": encode(type, [[], [["a", new Uint8Array(31), new Uint8Array(33)]]]),
  "a name that is not UTF-8": changed(0, 0xff),
  "a name with NUL": changed(0, 0),
  "a name without NUL": changed(1, 0x61),
  "offsets that go backwards": changed(-2, 10),
  "an end of the files beyond the whole": changed(-1, 0xff),
  "an end of the files before theirs": changed(-1, 70),
  "a byte behind it": Uint8Array.from([...good, 0]),
  "a cut one": good.subarray(0, -1),
  "a million zero bytes": new Uint8Array(1_000_000),
  "one that is too large": new Uint8Array(10 * 1024 * 1024 + 1),
};

for (const [what, bytes] of Object.entries(bad)) {
  test(`refuses ${what}`, () => assert.throws(() => decodeDirTree(bytes), { code: "invalid" }));
}

const unfit: Record<string, DirTree> = {
  "a name twice": { files: [file("a"), file("a")], directories: [] },
  "a file and a directory of one name": { files: [file("a")], directories: [directory("a")] },
  "..": { files: [file("..")], directories: [] },
  "a slash": { files: [], directories: [directory("a/b")] },
  NUL: { files: [file("a\0")], directories: [] },
  "half a character": { files: [file("\ud800")], directories: [] },
  "no checksum": { files: [{ name: "a", checksum: "A".repeat(64) }], directories: [] },
};

for (const [what, tree] of Object.entries(unfit)) {
  test(`does not write ${what}`, () => assert.throws(() => encodeDirTree(tree), { code: "invalid" }));
}

test("an empty directory is one zero byte", () =>
  assert.equal(hex(encodeDirTree({ files: [], directories: [] })), "00"));
