import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { type Folder, messageOf, putBlob, putDirectory } from "../cache/tree.fixture.ts";
import { DirectorySchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { maxEntries, maxListedBytes } from "./directory-entries.ts";
import { listTree, maxDepth, type TreeEntry, type TreeQuery } from "./tree-listing.ts";
import { BlobCount } from "./tree-measure.ts";

const whole: TreeQuery = { path: "", recursive: true, limit: 1000, cursor: undefined };
const paths = (entries: readonly TreeEntry[]): string[] => entries.map(({ path }) => path);

/** A Directory message as it is given, stored. */
async function put(
  blobs: MemoryStore,
  directory: Parameters<typeof create<typeof DirectorySchema>>[1],
): Promise<Digest> {
  return putBlob(blobs, toBinary(DirectorySchema, create(DirectorySchema, directory)));
}

describe("listTree", () => {
  it("lists directories by name, each followed by what is in it", async () => {
    const blobs = new MemoryStore();
    const digest = messageOf(await putBlob(blobs, "x"));
    const child = messageOf(await putDirectory(blobs, { z: "1", a: { deep: "2" } }));
    const root = await put(blobs, {
      files: [
        { name: "run", digest, isExecutable: true },
        { name: "b", digest },
      ],
      directories: [{ name: "dir", digest: child }],
      symlinks: [{ name: "link", target: "../elsewhere" }],
    });
    const { items, next } = await listTree(blobs, root, whole);
    assert.equal(next, undefined);
    assert.deepEqual(
      items.map(({ path, type, executable, target, digest: of }) => [path, type, executable, target, of?.size]),
      [
        ["b", "file", false, undefined, 1],
        ["dir", "directory", undefined, undefined, Number(child.sizeBytes)],
        ["dir/a", "directory", undefined, undefined, items[2]?.digest?.size],
        ["dir/a/deep", "file", false, undefined, 1],
        ["dir/z", "file", false, undefined, 1],
        ["link", "symlink", undefined, "../elsewhere", undefined],
        ["run", "file", true, undefined, 1],
      ],
    );
    assert.deepEqual(paths((await listTree(blobs, root, { ...whole, recursive: false })).items), [
      "b",
      "dir",
      "link",
      "run",
    ]);
    assert.deepEqual(paths((await listTree(blobs, root, { ...whole, path: "dir/a" })).items), ["dir/a/deep"]);
    assert.deepEqual(paths((await listTree(blobs, root, { ...whole, path: "run" })).items), ["run"]);
    for (const path of ["absent", "run/x", "dir/../b", "/dir", "dir/"]) {
      await assert.rejects(listTree(blobs, root, { ...whole, path }), { code: "not-found" }, path);
    }
  });

  it("gives every entry once, page by page", async () => {
    const folder = fc.letrec<{ folder: Folder }>((tie) => ({
      folder: fc.dictionary(
        fc.constantFrom("a", "b", "c", "ü", "x y"),
        fc.oneof({ maxDepth: 4 }, fc.constantFrom("", "1", "2"), tie("folder") as fc.Arbitrary<Folder>),
      ),
    })).folder;
    await fc.assert(
      fc.asyncProperty(folder, fc.integer({ min: 1, max: 5 }), async (tree, limit) => {
        const blobs = new MemoryStore();
        const root = await putDirectory(blobs, tree);
        const all: TreeEntry[] = [];
        let cursor: string | undefined;
        do {
          const page = await listTree(blobs, root, { ...whole, limit, cursor });
          assert.ok(page.items.length > 0 || page.next === undefined);
          all.push(...page.items);
          cursor = page.next;
        } while (cursor !== undefined);
        assert.deepEqual(all, (await listTree(blobs, root, whole)).items);
        assert.deepEqual(paths(all), flat(tree, ""));
      }),
      { numRuns: 60 },
    );
  });

  it("lists what it cannot enter, and says why", async () => {
    const blobs = new MemoryStore();
    const digest = messageOf(await putBlob(blobs, "x"));
    const gone = messageOf(digestOf(sha256, Buffer.from("gone")));
    const junk = messageOf(await putBlob(blobs, Buffer.from([0xff, 0xff])));
    const names = ["..", "a/b", "", "nul\0"];
    const bad = await Promise.all(
      names.map(async (name) => messageOf(await put(blobs, { files: [{ name, digest }] }))),
    );
    const directories = [gone, junk, ...bad].map((each, i) => ({ name: `d${i}`, digest: each }));
    const root = await put(blobs, { directories, files: [{ name: "ok", digest }] });
    const { items } = await listTree(blobs, root, whole);
    assert.deepEqual(paths(items), ["d0", "d1", "d2", "d3", "d4", "d5", "ok"]);
    assert.match(items[0]?.problem ?? "", /not in this cache/);
    for (const { problem } of items.slice(1, -1)) assert.match(problem ?? "", /cannot be read/);
    assert.equal(items[6]?.problem, undefined);
  });

  it("goes no deeper than it says, and does not fill memory with a tree that is endless in effect", async () => {
    const blobs = new MemoryStore();
    let root = await put(blobs, {});
    for (let i = 0; i < maxDepth + 50; i++) {
      const digest = messageOf(root);
      root = await put(blobs, {
        directories: [
          { name: "a", digest },
          { name: "b", digest },
        ],
      });
    }
    const first = await listTree(blobs, root, whole);
    assert.equal(first.items.length, 1000);
    assert.match(first.items[maxDepth - 1]?.problem ?? "", /deeper than/);
    const second = await listTree(blobs, root, { ...whole, cursor: first.next });
    assert.equal(second.items.length, 1000);
    const count = new BlobCount(blobs, sha256);
    await count.add("directory", root, true);
    assert.deepEqual([count.count, count.exact], [maxDepth + 50, true]);
  });

  it("does not list a directory with more entries than any has, and finds what is in it", async () => {
    const blobs = new MemoryStore();
    const link = { name: "a", target: "b" };
    const large = await put(blobs, { symlinks: Array.from({ length: maxEntries + 1 }, () => link) });
    assert.ok(large.size < maxListedBytes);
    const root = await put(blobs, { directories: [{ name: "large", digest: messageOf(large) }] });
    const { items } = await listTree(blobs, root, whole);
    assert.match(items[0]?.problem ?? "", /more than 100000 entries/);
    assert.equal((await listTree(blobs, root, { ...whole, path: "large/a" })).items[0]?.target, "b");
    await assert.rejects(listTree(blobs, root, { ...whole, path: "large/b" }), { code: "not-found" });
  });

  it("opens no more directories of small entries within each other than memory has room for", async () => {
    const blobs = new MemoryStore();
    const links = Array.from({ length: maxEntries - 1 }, () => ({ name: "b" }));
    let root = await put(blobs, {});
    for (let i = 0; i < 3; i++)
      root = await put(blobs, { directories: [{ name: "a", digest: messageOf(root) }], symlinks: links });
    const { items } = await listTree(blobs, root, { ...whole, limit: 2 });
    assert.deepEqual(paths(items), ["a", "b"]);
    assert.match(items[0]?.problem ?? "", /too large/);
    assert.equal((await listTree(blobs, root, { ...whole, path: "a/a/b" })).items[0]?.type, "symlink");
  });

  it("reads no more on the way to a path than a page may", async () => {
    const blobs = new MemoryStore();
    const target = "t".repeat(1 << 20);
    const links = Array.from({ length: 7 }, () => ({ name: "b", target }));
    let root = await put(blobs, {});
    for (let i = 0; i < 3; i++)
      root = await put(blobs, { directories: [{ name: "a", digest: messageOf(root) }], symlinks: links });
    assert.deepEqual((await listTree(blobs, root, { ...whole, path: "a/a", limit: 1 })).items.length, 1);
    await assert.rejects(listTree(blobs, root, { ...whole, path: "a/a/a" }), {
      code: "not-found",
      message: /too large/,
    });
  });

  it("refuses a cursor of another tree, and made-up ones", async () => {
    const blobs = new MemoryStore();
    const root = await putDirectory(blobs, { a: "1", b: "2", c: { d: "3" } });
    const other = await putDirectory(blobs, { a: "1", b: "3" });
    const { next } = await listTree(blobs, root, { ...whole, limit: 1 });
    const made = (...place: unknown[]): string =>
      Buffer.from(JSON.stringify([root.hash.slice(0, 16), ...place])).toString("base64url");
    await assert.rejects(listTree(blobs, other, { ...whole, cursor: next }), { code: "invalid" });
    await assert.rejects(listTree(blobs, root, { ...whole, recursive: false, cursor: next }), { code: "invalid" });
    for (const cursor of [made(), made(-1), made("0"), made(0, 0), made(9, 0), made(...Array(200).fill(0))]) {
      await assert.rejects(listTree(blobs, root, { ...whole, cursor }), { code: "invalid" }, cursor);
    }
    assert.deepEqual((await listTree(blobs, root, { ...whole, cursor: made(1e15) })).items, []);
  });
});

function flat(folder: Folder, prefix: string): string[] {
  const names = Object.keys(folder).sort();
  return names.flatMap((name) => {
    const entry = folder[name];
    return typeof entry === "string" ? [prefix + name] : [prefix + name, ...flat(entry ?? {}, `${prefix}${name}/`)];
  });
}
