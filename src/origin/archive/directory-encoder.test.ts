import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { DirectorySchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { DirectoryEncoder, type DirectoryEntry } from "./directory-encoder.ts";

const digest = digestOf(sha256, Buffer.from("content"));

describe("the message of a directory", () => {
  it("is the one that its fields have, sorted, however many there are", async () => {
    const entries = new Map<string, DirectoryEntry>();
    for (let i = 6000; i > 0; i--) {
      entries.set(`f${i}`, { kind: "file", digest, executable: i % 2 === 0 });
      entries.set(`d${i}`, { kind: "directory", digest });
      entries.set(`l${i}`, { kind: "symlink", target: Buffer.from("ü") });
    }
    const bytes = await new DirectoryEncoder().encode(entries);
    const message = fromBinary(DirectorySchema, bytes);
    assert.deepEqual(Buffer.from(toBinary(DirectorySchema, create(DirectorySchema, message))), bytes);
    for (const [first, nodes] of Object.entries({ f: message.files, d: message.directories, l: message.symlinks })) {
      const names = Array.from({ length: 6000 }, (_, i) => `${first}${i + 1}`).sort();
      assert.deepEqual(
        nodes.map(({ name }) => name),
        names,
      );
    }
    assert.deepEqual([message.symlinks[0]?.target, message.files[0]?.isExecutable], ["ü", false]);
  });

  it("lets others have their turn", async () => {
    const entries = new Map<string, DirectoryEntry>();
    for (let i = 0; i < 10_000; i++) entries.set(String(i), { kind: "directory", digest });
    let turns = 0;
    const turn = (): void => void (++turns < 3 && setImmediate(turn));
    setImmediate(turn);
    await new DirectoryEncoder().encode(entries);
    assert.equal(turns, 3);
  });

  it("has its names in the order of their bytes, however many there are", async () => {
    const sort = (names: readonly string[]) => new DirectoryEncoder().sort(names);
    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.string({ unit: "grapheme" })), async (names) => {
        assert.deepEqual(await sort(names), names.toSorted(byBytes));
      }),
    );
    assert.deepEqual(await sort(["\u{1f600}", "\uffee", "a"]), ["a", "\uffee", "\u{1f600}"]);
    const many = Array.from({ length: 9001 }, (_, i) => `${(i * 7919) % 9001}${i % 3 === 0 ? "é" : ""}`);
    assert.deepEqual(await sort(many), many.toSorted(byBytes));
  });
});
