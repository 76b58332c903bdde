import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { DirectorySchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { checkNames } from "./directory-names.ts";

function check(files: readonly string[], directories: readonly string[] = [], symlinks: readonly string[] = []): void {
  const named = (names: readonly string[]) => names.map((name) => ({ name }));
  const directory = { files: named(files), directories: named(directories), symlinks: named(symlinks) };
  const bytes = toBinary(DirectorySchema, create(DirectorySchema, directory));
  checkNames(digestOf(sha256, bytes), bytes);
}

test("takes what files can be called", () => {
  check([]);
  check(["a", "b.c", "...", "é", "名前", "a\\b", "-rf"], ["A"], [" "]);
});

test("refuses what would lead elsewhere, is no name, or comes twice", () => {
  for (const name of ["", ".", "..", "../a", "a/b", "/a", "a\0b"]) {
    for (const place of [[[name]], [[], [name]], [[], [], [name]]] as string[][][]) {
      const [files = [], directories, symlinks] = place;
      assert.throws(() => check(files, directories, symlinks), { code: "corrupt", message: /no file can have/ });
    }
  }
  assert.throws(() => check(["a", "a"]), { code: "corrupt", message: /two entries of one name/ });
  assert.throws(() => check(["a"], [], ["a"]), { code: "corrupt" });
});
