import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import type { FileHeader } from "../base/ostree-file.ts";
import { putCommitOf, putFileObject } from "../cache/commit-tree.fixture.ts";
import { type Folder, putBlob } from "../cache/tree.fixture.ts";
import { canonicalDirectory, canonicalFile, canonicalLink } from "../ostree/canonical-mode.ts";
import { encodeCommit } from "../ostree/commit.ts";
import { encodeDirMeta } from "../ostree/dirmeta.ts";
import { type DirTree, encodeDirTree } from "../ostree/dirtree.ts";
import { checksumOfFile, encodeFilez } from "../ostree/filez.ts";
import type { FoundArtifact } from "../store/artifact-refs.ts";
import type { MemoryStore } from "../store/memory/memory-store.ts";
import { firstArtifact, keyOf, type Library, library, oldArtifact, output, pushCommit } from "./artifact.fixture.ts";
import type { TreeEntry } from "./tree-listing.ts";

const keys = [keyOf("5"), keyOf("6")];

async function pushed(folder: Folder): Promise<Library & { found: FoundArtifact }> {
  const made = library();
  await pushCommit(made.tenant, "old/app", keys, await putCommitOf(made.tenant.blobs, folder));
  return { ...made, found: await foundIn(made) };
}

async function foundIn({ catalogue }: Library): Promise<FoundArtifact> {
  const found = await catalogue.find({ project: "old", element: "app", key: keyOf("6") });
  assert.ok(found);
  return found;
}

async function files({ catalogue, found }: Library & { found: FoundArtifact }, path = ""): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await catalogue.files(found, "files", { path, recursive: true, limit: 2, cursor });
    entries.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return entries;
}

async function putFile(blobs: MemoryStore, header: FileHeader, content: Uint8Array): Promise<string> {
  const hash = checksumOfFile(header, content);
  const filez = encodeFilez(header, content);
  await blobs.put({ function: ostree, hash, size: filez.length }, filez);
  return hash;
}

/** An artifact that has these dirtrees as `files` and `logs`. */
async function pushTrees(made: Library, parts: Readonly<Record<string, DirTree>>): Promise<FoundArtifact> {
  const { blobs } = made.tenant;
  const meta = (await putBlob(blobs, encodeDirMeta(canonicalDirectory(0o755)))).hash;
  const directories = [];
  for (const [name, tree] of Object.entries(parts)) {
    directories.push({ name, tree: (await putBlob(blobs, encodeDirTree(tree))).hash, meta });
  }
  const tree = (await putBlob(blobs, encodeDirTree({ files: [], directories }))).hash;
  const about = { metadata: [], parent: undefined, subject: "", body: "", timestamp: 0 };
  const commit = await putBlob(blobs, encodeCommit({ ...about, tree, treeMeta: meta }));
  await pushCommit(made.tenant, "old/app", keys, commit);
  return foundIn(made);
}

describe("an artifact of BuildStream 1.0", () => {
  it("is told of as those of other generations", async () => {
    const { catalogue, found } = await pushed(firstArtifact());
    const { content, complete, missing, problems, publicData, size } = await catalogue.report(found);
    assert.deepEqual([found.generation, complete, missing, problems], ["1.0", true, [], []]);
    assert.deepEqual(content?.keys, { strong: keyOf("5"), weak: keyOf("6"), strict: undefined });
    assert.deepEqual(content?.build, { success: true, error: undefined, details: undefined, workspaced: false });
    assert.deepEqual(content?.dependencies, [
      { project: undefined, element: "components/base.bst", key: keyOf("b"), workspaced: true },
    ]);
    assert.deepEqual(
      content?.logs.map(({ name, size }) => [name, size]),
      [["build.log", 13]],
    );
    assert.deepEqual(publicData, { bst: { "integration-commands": ["ldconfig"] } });
    // The commit, a dirmeta, 8 dirtrees (of which one is empty), 4 files, a log, 2 files with metadata.
    assert.deepEqual([size?.blobs, size?.exact], [17, true]);
    assert.equal((await catalogue.report(found)).size, size);
  });

  it("of 1.1 says the same in more files", async () => {
    const { catalogue, found } = await pushed(oldArtifact());
    const { content, problems } = await catalogue.report(found);
    assert.deepEqual([content?.keys.strong, content?.keys.weak, problems], [keyOf("3"), keyOf("4"), []]);
    assert.deepEqual(
      content?.dependencies.map(({ element, workspaced }) => [element, workspaced]),
      [["components/base.bst", false]],
    );
  });

  it("has its files listed, a page at a time", async () => {
    const made = await pushed(firstArtifact());
    const entries = await files(made);
    assert.deepEqual(
      entries.map(({ path, type, size, executable }) => [path, type, size, executable]),
      [
        ["bin", "directory", undefined, undefined],
        ["bin/tool", "file", 10, false],
        ["share", "directory", undefined, undefined],
        ["share/doc", "directory", undefined, undefined],
        ["share/doc/a.txt", "file", 5, false],
        ["share/doc/b.txt", "file", 4, false],
        ["share/empty", "directory", undefined, undefined],
        ["top.txt", "file", 3, false],
      ],
    );
    const [top] = await files(made, "top.txt");
    assert.deepEqual([top?.digest?.function, top?.size], [ostree, 3]);
    assert.deepEqual(
      (await files(made, "share/doc")).map(({ path }) => path),
      ["share/doc/a.txt", "share/doc/b.txt"],
    );
    for (const path of ["absent", "top.txt/x", "share/../bin"]) {
      await assert.rejects(files(made, path), { code: "not-found" }, path);
    }
  });

  it("has files that may be run, and links", async () => {
    const made = library();
    const { blobs } = made.tenant;
    const list = [
      { name: "link", checksum: await putFile(blobs, canonicalLink("../elsewhere"), new Uint8Array()) },
      { name: "long", checksum: await putFile(blobs, canonicalLink("x".repeat(4000)), new Uint8Array()) },
      { name: "run", checksum: await putFile(blobs, canonicalFile(0o755), Buffer.from("#!")) },
    ];
    const found = await pushTrees(made, { files: { files: list, directories: [] } });
    const entries = await files({ ...made, found });
    assert.deepEqual(entries[0], { path: "link", type: "symlink", target: "../elsewhere" });
    assert.equal(entries[1]?.target?.length, 4000);
    assert.deepEqual([entries[2]?.type, entries[2]?.size, entries[2]?.executable], ["file", 2, true]);
  });

  it("has its logs read, however large they are", async () => {
    const text = "a line of a long log\n".repeat(100_000);
    const { catalogue, found } = await pushed({ ...firstArtifact(), logs: { "build.log": text } });
    const log = await catalogue.openLog(found, "build.log");
    assert.equal(log.size, text.length);
    const pieces: Buffer[] = [];
    for (let at = 0; at < log.size; at += 300_000) {
      const piece = Buffer.alloc(Math.min(300_000, log.size - at));
      await log.read(piece, at);
      pieces.push(piece);
    }
    log.close();
    assert.equal(Buffer.concat(pieces).toString(), text);
    const unread = await catalogue.openLog(found, "build.log");
    unread.close();
  });

  it("that lacks blobs says which parts those are of", async () => {
    const made = await pushed(firstArtifact());
    const { blobs } = made.tenant;
    const hash = await putFileObject(blobs, "alpha");
    await blobs.remove({ function: ostree, hash, size: (await blobs.sizeOf(ostree, hash)) ?? 0 });
    const { complete, missing, size, content } = await made.catalogue.report(made.found);
    assert.deepEqual([complete, size?.exact, size?.blobs], [false, false, 17]);
    assert.deepEqual(missing, [{ part: "the artifact's commit", blobs: 1, required: true }]);
    assert.ok(content?.trees.files);
    const lost = (await files(made)).find(({ path }) => path === "share/doc/a.txt");
    assert.deepEqual(lost, { path: "share/doc/a.txt", type: "file", problem: "is not in this cache" });
  });

  it("that lacks a directory lists the others", async () => {
    const made = await pushed(firstArtifact());
    const { blobs } = made.tenant;
    const doc = output.share as { doc: Record<string, string> };
    const list = [];
    for (const [name, text] of Object.entries(doc.doc)) list.push({ name, checksum: await putFileObject(blobs, text) });
    await blobs.remove(digestOf(sha256, encodeDirTree({ files: list, directories: [] })));
    const entries = await files(made);
    assert.deepEqual(entries[3], { path: "share/doc", type: "directory", problem: "is not in this cache" });
    await assert.rejects(files(made, "share/doc"), { code: "not-found" });
    const { complete, missing } = await made.catalogue.report(made.found);
    assert.deepEqual([complete, missing[0]?.blobs], [false, 1]);
  });

  it("that is none, or whose parts are none, is told of all the same", async () => {
    const made = library();
    await pushCommit(made.tenant, "old/app", keys, await putBlob(made.tenant.blobs, "no commit"));
    const none = await made.catalogue.report(await foundIn(made));
    assert.deepEqual([none.complete, none.problems.length, none.size?.exact], [false, 1, false]);
    assert.match(none.problems[0] ?? "", /the artifact's commit cannot be read: no OSTree commit/);

    const absent = { function: sha256, hash: "ab".repeat(32), size: 9 };
    await pushCommit(made.tenant, "old/app", keys, absent);
    const gone = await made.catalogue.report(await foundIn(made));
    assert.deepEqual([gone.complete, gone.problems], [false, ["the artifact's commit is not in this cache"]]);
    assert.deepEqual(gone.missing, [{ part: "the artifact's commit", blobs: 1, required: true }]);
  });

  const odd: [what: string, meta: Record<string, string>, problem: RegExp][] = [
    ["no YAML", { "artifact.yaml": "{keys: [" }, /^meta\/artifact\.yaml is not YAML/],
    ["YAML that is too much", { "artifact.yaml": "x".repeat(200_000) }, /^meta\/artifact\.yaml has 200000 bytes/],
    ["YAML of another shape", { "artifact.yaml": "keys: text\nworkspaced: [a]\n" }, /^$/],
    ["public data that is too much", { "public.yaml": "y".repeat(70_000) }, /^public data has 70000 bytes/],
  ];
  for (const [what, meta, problem] of odd) {
    it(`with ${what} says so`, async () => {
      const { catalogue, found } = await pushed(firstArtifact(meta));
      const { problems, content } = await catalogue.report(found);
      assert.match(problems.join("\n"), problem);
      assert.ok(content?.trees.files);
    });
  }
});
