import assert from "node:assert/strict";
import { chmod, mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { commitTree } from "./commit-tree.ts";
import { directoryTree } from "./directory-tree.ts";
import { Folders, putCommit } from "./repository.fixture.ts";
import type { FileEntry, TreeEntry } from "./tree-entry.ts";

test("a directory on disk is the tree of its files, small and large", async () => {
  await using folders = new Folders();
  const path = await folders.fresh();
  const large = Buffer.alloc(3_000_000, "large ");
  await mkdir(join(path, "folder"));
  await writeFile(join(path, "folder/small"), "small");
  await writeFile(join(path, "large"), large);
  await chmod(join(path, "folder"), 0o2775);
  const repository = await folders.repository();
  await using change = await repository.begin();
  const files = { folder: { small: "small" }, large };
  const commit = await putCommit(change, files);
  const onDisk = await commitTree(change, directoryTree(path), { canonical: true });
  assert.deepEqual([onDisk.files, onDisk.bytes], [2, large.length + 5]);
  change.setRef("line", commit);
  await change.publish();
  assert.equal((await repository.commit(commit))?.tree, onDisk.tree);
});

test("what changes while it is read is refused", async () => {
  await using folders = new Folders();
  const path = await folders.fresh();
  const entry = (): FileEntry => [...(directoryTree(path).entries() as Iterable<TreeEntry>)][0] as FileEntry;
  await writeFile(join(path, "file"), "content");
  const longer = entry();
  await writeFile(join(path, "file"), "content, and more");
  assert.throws(() => longer.open(), { code: "invalid", message: /file changed while it was read/ });
  const gone = entry();
  await rm(join(path, "file"));
  assert.throws(() => gone.open(), { code: "not-found" });
  await symlink("/etc/hostname", join(path, "file"));
  assert.throws(() => gone.open(), { code: "invalid", message: /changed/ });

  // A large file is read twice: of other content the second time, it is not what was hashed.
  await using change = await folders.repository().then((repository) => repository.begin());
  const content = Buffer.alloc(2_000_000);
  let opened = 0;
  const open = () => Buffer.from(content).fill(opened++);
  const header = { uid: 0, gid: 0, mode: 0o100644, symlink: "", xattrs: [] };
  await assert.rejects(change.putFile(header, content.length, open), { code: "invalid", message: /changed/ });
  await assert.rejects(
    change.putFile(header, 7, () => Buffer.from("not so")),
    { code: "invalid", message: /7 bytes/ },
  );
  await assert.rejects(change.publish(), { code: "invalid" });
});

test("only directories are trees, and not the deepest", async () => {
  await using folders = new Folders();
  const path = await folders.fresh();
  await writeFile(join(path, "file"), "");
  assert.throws(() => directoryTree(join(path, "file")), { code: "invalid" });
  assert.throws(() => directoryTree(join(path, "none")), { code: "not-found" });
  await truncate(join(path, "file"));
  const nested = (depth: number): TreeEntry => ({
    kind: "directory",
    name: "d",
    mode: 0o755,
    entries: () => (depth === 0 ? [] : [nested(depth - 1)]),
  });
  const repository = await folders.repository();
  await using change = await repository.begin();
  const deep = nested(300);
  if (deep.kind !== "directory") throw new Error("a directory");
  await assert.rejects(commitTree(change, deep, { canonical: true }), { code: "invalid", message: /deeper than 256/ });
});
