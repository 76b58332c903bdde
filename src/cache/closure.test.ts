import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf, emptyDigest } from "../base/digest.ts";
import { type DigestFunction, digestFunctions, ostree, sha1, sha256 } from "../base/digest-function.ts";
import { DirectorySchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { canonicalFile } from "../ostree/canonical-mode.ts";
import { encodeFilez } from "../ostree/filez.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Walk } from "../store/ref-store.ts";
import { Closure } from "./closure.ts";
import { putCommitOf, putFileObject } from "./commit-tree.fixture.ts";
import { maxDirectoryBytes } from "./directory-walk.ts";
import { type Folder, messageOf, putBlob, putDirectory, putTree } from "./tree.fixture.ts";
import { maxTreeBytes } from "./tree-message.ts";

const closureOf = (store: MemoryStore): Closure => new Closure(store, () => store.removals());

/** Counts what is asked of a store. */
class CountingStore extends MemoryStore {
  directoriesRead = 0;
  questions = 0;

  override readBatch(...args: Parameters<MemoryStore["readBatch"]>): ReturnType<MemoryStore["readBatch"]> {
    this.directoriesRead += args[0].length;
    return super.readBatch(...args);
  }

  override missing(...args: Parameters<MemoryStore["missing"]>): ReturnType<MemoryStore["missing"]> {
    this.questions++;
    return super.missing(...args);
  }
}

const folder: Folder = { a: "A", b: { c: "C", d: { e: "E", empty: "" }, "no-files": {} }, f: { d: { e: "E" } } };

describe("Closure", () => {
  for (const fn of digestFunctions) {
    it(`finds each hole in a directory and in a tree (${fn.name})`, async () => {
      await everyBlobCounts("directory", fn, putDirectory);
      await everyBlobCounts("tree", fn, putTree);
    });
  }

  it("finds each hole in a commit", () => everyBlobCounts("commit", sha256, (store, each) => putCommitOf(store, each)));

  it("takes any deflation of a file for the file object of a commit, and nothing else for a commit", async () => {
    const store = new MemoryStore();
    const digest = await putCommitOf(store, folder);
    const hash = await putFileObject(store, "C");
    const size = store.sizeOf(ostree, hash) as number;
    await store.remove({ function: ostree, hash, size });
    assert.equal(await closureOf(store).complete([{ walk: "commit", digest }]), false);
    const other = encodeFilez(canonicalFile(0o644), Buffer.from("C"), 0);
    assert.notEqual(other.length, size);
    await store.put({ function: ostree, hash, size: other.length }, other);
    assert.equal(await closureOf(store).complete([{ walk: "commit", digest }]), true);
    for (const text of ["", "no commit"]) {
      assert.equal(await closureOf(store).complete([{ walk: "commit", digest: await putBlob(store, text) }]), false);
    }
  });

  it("reads each dirtree of a commit once, however often it has it", async () => {
    const store = new CountingStore();
    let wide: Folder = { file: "same" };
    for (let depth = 0; depth < 12; depth++) wide = { left: wide, right: wide, file: `${depth}` };
    const root = { walk: "commit", digest: await putCommitOf(store, wide) } as const;
    const closure = closureOf(store);
    assert.equal(await closure.complete([root]), true);
    assert.equal(store.directoriesRead, 13);
    assert.equal(await closure.complete([root]), true);
    assert.equal(store.directoriesRead, 13);
  });

  async function everyBlobCounts(
    walk: Walk,
    fn: DigestFunction,
    put: (store: MemoryStore, folder: Folder, fn: DigestFunction) => Promise<Digest>,
  ): Promise<void> {
    const stored: Digest[] = [];
    const store = new (class extends MemoryStore {
      override put(digest: Digest, bytes: Uint8Array): Promise<void> {
        stored.push(digest);
        return super.put(digest, bytes);
      }
    })();
    const root = { walk, digest: await put(store, folder, fn) };
    assert.equal(await closureOf(store).complete([root]), true);
    for (const digest of stored.filter((each) => each.size > 0)) {
      const holed = new MemoryStore();
      await put(holed, folder, fn);
      const closure = closureOf(holed);
      assert.equal(await closure.complete([root]), true);
      await holed.remove(digest);
      assert.equal(await closure.complete([root]), false, `without ${digest.hash}`);
    }
  }

  it("asks for a blob each time, and never for the empty one", async () => {
    const store = new CountingStore();
    const closure = closureOf(store);
    const blob = { walk: "blob", digest: digestOf(sha1, Buffer.from("x")) } as const;
    assert.equal(await closure.complete([blob]), false);
    await putBlob(store, "x", sha1);
    assert.equal(await closure.complete([blob]), true);
    const questions = store.questions;
    const empty = (["blob", "directory", "tree"] as const).map((walk) => ({ walk, digest: emptyDigest(sha256) }));
    assert.equal(await closure.complete(empty), true);
    assert.equal(await closure.complete([]), true);
    assert.equal(store.questions, questions);
  });

  it("takes a missing blob in any of the roots for a hole", async () => {
    const store = new MemoryStore();
    const there = await putDirectory(store, folder);
    const gone = digestOf(sha256, Buffer.from("gone"));
    for (const walk of ["blob", "directory", "tree", "artifact", "source"] as const) {
      assert.equal(
        await closureOf(store).complete([
          { walk: "directory", digest: there },
          { walk, digest: gone },
        ]),
        false,
      );
    }
  });

  it("reads each directory once, however often a tree has it", async () => {
    const store = new CountingStore();
    let wide: Folder = { file: "same" };
    for (let depth = 0; depth < 12; depth++) wide = { left: wide, right: wide, file: `${depth}` };
    const root = { walk: "directory", digest: await putDirectory(store, wide) } as const;
    assert.equal(await closureOf(store).complete([root]), true);
    assert.equal(store.directoriesRead, 13);
    assert.equal(store.questions, 1);
  });

  it("walks a tree again only after something was removed", async () => {
    const store = new CountingStore();
    const closure = closureOf(store);
    const roots = [{ walk: "directory", digest: await putDirectory(store, folder) }] as const;
    await closure.complete(roots);
    const once = store.directoriesRead;
    assert.equal(await closure.complete(roots), true);
    assert.equal(store.directoriesRead, once);
    await store.remove(await putBlob(store, "unrelated"));
    assert.equal(await closure.complete(roots), true);
    assert.equal(store.directoriesRead, 2 * once);
  });

  it("walks a tree again, which is a use of its blobs, once the last walk is too old to speak for them", async () => {
    let now = 1_000_000;
    const store = new (class extends CountingStore {
      constructor() {
        super({ clock: () => now });
      }
    })();
    const closure = new Closure(store, () => 0, { unaskedMs: 5000, monotonic: () => now });
    const root = { walk: "directory", digest: await putDirectory(store, folder) } as const;
    const wide = Array.from({ length: 20 }, () => closure.complete([root]));
    assert.ok((await Promise.all(wide)).every((complete) => complete));
    const once = store.directoriesRead;
    now += 5000;
    assert.equal(await closure.complete([root]), true);
    assert.equal(store.directoriesRead, once);
    now += 1;
    assert.equal(await closure.complete([root]), true);
    assert.ok(store.directoriesRead > once);
    const census = store.census().tenants.flatMap(({ shelves }) => shelves.filter(({ function: fn }) => fn === sha256));
    for (const shelf of census) {
      for (let number = 0; number < shelf.top; number++) {
        if (shelf.has(number)) assert.equal(shelf.used(number), Math.floor(now / 1000), shelf.digest(number).hash);
      }
    }
    assert.ok(census.length > 0);
  });

  it("finds a tree complete as soon as its hole is filled", async () => {
    const store = new MemoryStore();
    const closure = closureOf(store);
    const root = { walk: "directory", digest: await putDirectory(store, folder) } as const;
    await store.remove(digestOf(sha256, Buffer.from("E")));
    assert.equal(await closure.complete([root]), false);
    await putBlob(store, "E");
    assert.equal(await closure.complete([root]), true);
  });

  it("walks once for all who ask at the same time", async () => {
    const store = new CountingStore();
    const closure = closureOf(store);
    const roots = [{ walk: "directory", digest: await putDirectory(store, folder) }] as const;
    const answers = await Promise.all(Array.from({ length: 50 }, () => closure.complete(roots)));
    assert.ok(answers.every((complete) => complete));
    assert.ok(store.directoriesRead <= 2 * 5, `${store.directoriesRead} directories read`);
  });

  it("reads entries that the store gives in pieces", async () => {
    const store = new (class extends MemoryStore {
      override readBatch(...args: Parameters<MemoryStore["readBatch"]>): ReturnType<MemoryStore["readBatch"]> {
        const read = super.readBatch(...args);
        const bytes = Buffer.concat(read.parts);
        const parts = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));
        return { ...read, parts };
      }
    })();
    const root = { walk: "directory", digest: await putDirectory(store, folder) } as const;
    assert.equal(await closureOf(store).complete([root]), true);
    await store.remove(digestOf(sha256, Buffer.from("E")));
    assert.equal(await closureOf(store).complete([root]), false);
  });

  it("walks a deep and a wide tree", async () => {
    const store = new MemoryStore();
    let deep: Folder = { bottom: "bottom" };
    for (let depth = 0; depth < 2000; depth++) deep = { deep, [`${depth}`]: `${depth}` };
    const wide = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`d${i}`, { [`f${i}`]: `content ${i}` }]));
    for (const each of [deep, wide]) {
      const root = { walk: "directory", digest: await putDirectory(store, each) } as const;
      assert.equal(await closureOf(store).complete([root]), true);
    }
    const wideRoot = { walk: "directory", digest: await putDirectory(store, wide) } as const;
    await store.remove(digestOf(sha256, Buffer.from("content 2999")));
    assert.equal(await closureOf(store).complete([wideRoot]), false);
  });

  const unreadable: [what: string, bytes: Uint8Array][] = [
    ["text", Buffer.from("#!/bin/sh\nexit 0\n")],
    ["a cut message", toBinary(DirectorySchema, create(DirectorySchema, { files: [{ name: "a" }] })).subarray(0, 3)],
    ["an entry without a digest", Buffer.from([0x0a, 0x03, 0x0a, 0x01, 0x61])],
  ];
  for (const [what, bytes] of unreadable) {
    it(`takes ${what} for incomplete, not for an error`, async () => {
      const store = new MemoryStore();
      const digest = await putBlob(store, bytes);
      assert.equal(await closureOf(store).complete([{ walk: "directory", digest }]), false);
      // As a Tree, too, with the same bytes as its root.
      const tree = await putBlob(store, Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]));
      assert.equal(await closureOf(store).complete([{ walk: "tree", digest: tree }]), false);
    });
  }

  it("takes a tree for incomplete in which a name leads elsewhere", async () => {
    for (const bad of [{ "..": "x" }, { a: "x", deep: { "../x": "x" } }, { deep: { "": {} } }] satisfies Folder[]) {
      const store = new MemoryStore();
      const [directory, tree] = [await putDirectory(store, bad), await putTree(store, bad)];
      assert.equal(await closureOf(store).complete([{ walk: "directory", digest: directory }]), false);
      assert.equal(await closureOf(store).complete([{ walk: "tree", digest: tree }]), false);
    }
  });

  it("takes what is beyond the limits for incomplete, without reading it", async () => {
    const store = new CountingStore();
    const directory = { ...digestOf(sha256, Buffer.from("d")), size: maxDirectoryBytes + 1 };
    const tree = { ...digestOf(sha256, Buffer.from("t")), size: maxTreeBytes + 1 };
    const parent = create(DirectorySchema, { directories: [{ name: "large", digest: messageOf(directory) }] });
    const root = await putBlob(store, toBinary(DirectorySchema, parent));
    assert.equal(await closureOf(store).complete([{ walk: "directory", digest: root }]), false);
    assert.equal(await closureOf(store).complete([{ walk: "tree", digest: tree }]), false);
    assert.equal(store.directoriesRead, 1);
  });
});
