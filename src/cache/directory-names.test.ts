import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { DirectorySchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { wrongNames } from "./directory-names.ts";

type Names = readonly string[];

/** Of an encoded Directory with something before it and behind it. */
function wrong(files: Names, directories: Names = [], symlinks: Names = []): string | undefined {
  const named = (names: Names) => names.map((name) => ({ name }));
  const directory = { files: named(files), directories: named(directories), symlinks: named(symlinks) };
  const bytes = toBinary(DirectorySchema, create(DirectorySchema, directory));
  const padded = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0xff])]);
  return wrongNames(padded, 1, padded.length - 1);
}

test("files can have names", () => {
  assert.equal(wrong([]), undefined);
  assert.equal(wrong(["a", "b.c", "...", ".a", "é", "名前", "a\\b", "-rf"], ["A"], [" "]), undefined);
});

test("what would lead elsewhere, is no name, or comes twice, is none", () => {
  for (const name of ["", ".", "..", "../a", "a/b", "/a", "a\0b"]) {
    for (const place of [[[name]], [[], [name]], [[], [], [name]]] as string[][][]) {
      const [files = [], directories, symlinks] = place;
      assert.match(wrong(files, directories, symlinks) ?? "", /no file can have/);
    }
  }
  for (const place of [[["a", "a"]], [["a"], ["a"]], [["a"], [], ["a"]], [[], ["a"], ["a"]]] as Names[][]) {
    const [files = [], directories, symlinks] = place;
    assert.match(wrong(files, directories, symlinks) ?? "", /two entries of one name/);
  }
  assert.equal(wrongNames(Buffer.from([0x0a, 0])), "has an entry with a name that no file can have");
});

test("of any names those that are alike are found", () => {
  const name = fc.stringMatching(/^[a-c]{1,4}$/);
  fc.assert(
    fc.property(fc.array(name), fc.array(name), fc.array(name), (files, directories, symlinks) => {
      const all = [...files, ...directories, ...symlinks];
      assert.equal(wrong(files, directories, symlinks) === undefined, new Set(all).size === all.length);
    }),
  );
});

test("one hash is not one name", () => {
  // More than there can be without two of one hash among them, as far as chance goes.
  const many = Array.from({ length: 100_000 }, (_, i) => `file ${i}`);
  assert.equal(wrong(many), undefined);
  assert.match(wrong([...many, "file 77"]) ?? "", /two entries/);
});
