import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { type Folder, putDirectory } from "../../cache/tree.fixture.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import { fsckRepository } from "../../ostree/archive/fsck-repository.ts";
import { Folders } from "../../ostree/archive/repository.fixture.ts";
import { decodeCommit, encodeCommit } from "../../ostree/commit.ts";
import { encodeDirMeta } from "../../ostree/dirmeta.ts";
import { encodeDirTree } from "../../ostree/dirtree.ts";
import { MemoryStore } from "../../store/memory/memory-store.ts";
import type { BlobSink } from "../blob-place.ts";
import { commitToDirectory } from "./commit-to-directory.ts";
import { directoryToCommit } from "./directory-to-commit.ts";
import { ObjectBlobs } from "./object-blobs.ts";

const { signal } = new AbortController();

/** A store in memory, as somewhere to write to. */
function sinkOf(store: MemoryStore): BlobSink {
  return {
    async missing(digests) {
      const found: Digest[] = [];
      for (const each of digests) if ((await store.missing(DigestList.of(each))).length > 0) found.push(each);
      return found;
    },
    async writeMany(blobs) {
      for (const { digest, bytes } of blobs) await store.put(digest, bytes);
    },
    async write(digest, content) {
      const pieces: Uint8Array[] = [];
      for await (const piece of content(0)) pieces.push(Uint8Array.from(piece));
      await store.put(digest, Buffer.concat(pieces));
    },
    async flush() {},
  };
}

const name = fc.string({
  unit: fc.constantFrom("a", "B", "é", "\u{1f600}", "\uffee", "."),
  minLength: 1,
  maxLength: 3,
});
const fileName = name.filter((each) => each !== "." && each !== "..");
const { folder } = fc.letrec<{ folder: Folder }>((tie) => ({
  folder: fc.dictionary(fileName, fc.oneof({ maxDepth: 2 }, fc.string(), tie("folder")), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
}));

describe("an artifact in the form of another generation", () => {
  const folders = new Folders();
  after(() => folders[Symbol.asyncDispose]());

  test("is the same again when it comes back, and the same commit every time", async () => {
    const repository = await folders.repository();
    await fc.assert(
      fc.asyncProperty(folder, async (files) => {
        const store = new MemoryStore();
        const root = await putDirectory(store, files);
        const made: string[] = [];
        for (let time = 0; time < 2; time++) {
          await using change = await repository.begin();
          made.push((await directoryToCommit(root, store, change, signal)).commit);
          await change.publish({ summary: "leave" });
        }
        assert.equal(made[0], made[1]);
        const blobs = new ObjectBlobs(directorySource(repository.directory));
        const size = (await blobs.sizeOf(sha256, made[0] as string)) as number;
        const back = new MemoryStore();
        const commit = { function: sha256, hash: made[0] as string, size };
        const again = await commitToDirectory(commit, blobs, sinkOf(back), signal);
        await using change = await repository.begin();
        assert.equal((await directoryToCommit(again, back, change, signal)).commit, made[0]);
      }),
      { numRuns: 15 },
    );
    assert.deepEqual((await fsckRepository(repository)).problems, []);
  });

  test("keeps large files, links and what may be run; and is refused where something would be lost", async () => {
    const repository = await folders.repository();
    const large = Buffer.alloc(1_500_000, "so much of it ");
    const [plain, secret] = [
      { uid: 0, gid: 0, symlink: "", xattrs: [] },
      { name: Buffer.from("user.a\0"), value: Buffer.from("b") },
    ];
    const commitOf = async (header: object, meta: object = {}): Promise<Digest> => {
      await using change = await repository.begin();
      const run = await change.putFile({ ...plain, mode: 0o100755 }, large.length, () => large);
      const odd = await change.putFile({ ...plain, mode: 0o100644, ...header }, 1, () => Buffer.from("x"));
      const link = await change.putFile({ ...plain, mode: 0o120777, symlink: "run" }, 0, () => new Uint8Array());
      const treeMeta = await change.putMetadata(
        "dirmeta",
        encodeDirMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs: [], ...meta }),
      );
      const files = [
        { name: "link", checksum: link },
        { name: "odd", checksum: odd },
        { name: "run", checksum: run },
      ];
      const tree = await change.putMetadata("dirtree", encodeDirTree({ files, directories: [] }));
      const about = { metadata: [], parent: undefined, subject: "", body: "", timestamp: 5 };
      const bytes = encodeCommit({ ...about, tree, treeMeta });
      await change.putMetadata("commit", bytes);
      await change.publish({ summary: "leave" });
      return digestOf(sha256, bytes);
    };
    const blobs = new ObjectBlobs(directorySource(repository.directory));
    const store = new MemoryStore();
    const convert = async (commit: Promise<Digest>): Promise<Digest> =>
      commitToDirectory(await commit, blobs, sinkOf(store), signal);
    const root = await convert(commitOf({}));
    assert.equal(await store.sizeOf(sha256, digestOf(sha256, large).hash), large.length);
    const first = await repository.commit((await commitOf({})).hash);
    {
      await using change = await repository.begin();
      const { commit } = await directoryToCommit(root, store, change, signal);
      const bytes = await change.readMetadata(commit, "commit");
      assert.equal(bytes && decodeCommit(bytes).tree, first?.tree, "the tree is the same object again");
    }
    for (const [header, meta, what] of [
      [{ uid: 5 }, {}, /"\/odd" has the owner 5:0/],
      [{ mode: 0o104755 }, {}, /"\/odd" has the mode 4755/],
      [{ xattrs: [secret] }, {}, /"\/odd" has extended attributes/],
      [{}, { mode: 0o041777 }, /"\/" has the mode 1777/],
      [{}, { gid: 7 }, /"\/" has the owner 0:7/],
    ] as const) {
      await assert.rejects(convert(commitOf(header, meta)), { code: "unsupported", message: what });
    }
    // 0600 is no more than 0644 to who asks a Directory.
    assert.equal((await convert(commitOf({ mode: 0o100600 }))).hash, root.hash);
  });
});
