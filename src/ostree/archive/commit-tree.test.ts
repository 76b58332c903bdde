import assert from "node:assert/strict";
import { test } from "node:test";
import { commitTree } from "./commit-tree.ts";
import { fsckRepository } from "./fsck-repository.ts";
import { Folders } from "./repository.fixture.ts";
import type { DirectoryEntry, TreeEntry } from "./tree-entry.ts";

const file: TreeEntry = { kind: "file", name: "f", mode: 0o644, size: 3, open: () => Buffer.from("abc") };

/** A directory with two entries that are the same directory, and so on. */
function doubling(levels: number, looks: { count: number }, name = ""): DirectoryEntry {
  const entries = (): TreeEntry[] => {
    looks.count++;
    return levels === 0 ? [file] : ["a", "b"].map((each) => doubling(levels - 1, looks, each));
  };
  return { kind: "directory", name, mode: 0o755, same: `level ${levels}`, entries };
}

test("directories that are the same are looked at once, and count as often as they are there", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  await using change = await repository.begin();
  const looks = { count: 0 };
  const { files, bytes } = await commitTree(change, doubling(40, looks), { canonical: true });
  assert.deepEqual([files, bytes, looks.count], [2 ** 40, 3 * 2 ** 40, 41]);
  await change.publish();
  assert.deepEqual((await fsckRepository(repository)).problems, []);
  await using another = await repository.begin();
  const tooMany = commitTree(another, doubling(60, looks), { canonical: true });
  await assert.rejects(tooMany, { code: "invalid", message: /more files than can be counted/ });
});

test("one that is met again deeper lies no deeper than all may", async () => {
  await using folders = new Folders();
  await using change = await (await folders.repository()).begin();
  const looks = { count: 0 };
  const shared = (name: string): DirectoryEntry => ({
    ...doubling(0, looks, name),
    same: "chain",
    entries: chain(200),
  });
  const chain = (depth: number) => (): TreeEntry[] =>
    depth === 0 ? [file] : [{ kind: "directory", name: "d", mode: 0o755, entries: chain(depth - 1) }];
  const down = (depth: number): TreeEntry =>
    depth === 0 ? shared("z") : { kind: "directory", name: "z", mode: 0o755, entries: () => [down(depth - 1)] };
  const root = (depth: number): DirectoryEntry => ({
    ...{ kind: "directory", name: "", mode: 0o755 },
    entries: () => [shared("a"), down(depth)],
  });
  await commitTree(change, root(54), { canonical: true });
  await assert.rejects(commitTree(change, root(56), { canonical: true }), {
    code: "invalid",
    message: /deeper than 256/,
  });
});
