import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ostree, sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import type { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import { fsckRepository } from "../../ostree/archive/fsck-repository.ts";
import type { ObjectSource } from "../../ostree/archive/object-source.ts";
import { commitFiles, Folders } from "../../ostree/archive/repository.fixture.ts";
import type { ArtifactIndex, IndexedArtifact } from "../artifact-index.ts";
import { openCommitCache } from "./commit-cache.ts";
import { ObjectBlobs } from "./object-blobs.ts";

const { signal } = new AbortController();
const [strong, weak, other] = ["1", "2", "3"].map((digit) => digit.repeat(64)) as [string, string, string];

describe("a cache of commits", () => {
  const folders = new Folders();
  after(() => folders[Symbol.asyncDispose]());

  /** A repository with an artifact, and what an index would say of that. */
  async function artifact(keys = [strong, weak]) {
    const repository = await folders.repository();
    const files = { files: { a: "a", large: "l".repeat(200_000) }, meta: { "public.yaml": "{}" } };
    const commit = await commitFiles(repository, `demo/app/${strong}`, files);
    const size = (await repository.readMetadata(commit, "commit"))?.length ?? 0;
    const content = { function: sha256, hash: commit, size };
    const indexed = { project: "demo", element: "app", keys, generation: "1.0", content, message: undefined } as const;
    return { repository, commit, indexed, objects: directorySource(repository.directory) };
  }

  const from = (objects: ObjectSource, repository?: ArchiveRepository) => ({
    ...{ objects, repository },
    blobs: new ObjectBlobs(objects),
  });
  const find = (index: ArtifactIndex, ...keys: string[]): Promise<IndexedArtifact | undefined> =>
    index.find({ project: "demo", element: "app", keys }, signal);

  test("is made by the first artifact, finds it by each key, and forgets it", async () => {
    const path = join(await folders.fresh(), "stillage/ostree");
    const cache = openCommitCache(path);
    const { index, commits, remove, prune } = cache;
    const { indexed, objects } = await artifact();
    const take = commits.take as NonNullable<typeof commits.take>;
    assert.deepEqual([await find(index, strong), existsSync(path), await prune(signal)], [undefined, false, undefined]);
    // Two at once make one repository.
    const taken = await Promise.all([
      take(indexed, from(objects), { signal }),
      take(indexed, from(objects), { signal }),
    ]);
    assert.ok(taken.includes("published"));
    assert.equal(await take(indexed, from(objects), { signal }), "present");
    for (const key of [strong, weak]) assert.deepEqual((await find(index, other, key))?.content, indexed.content);
    assert.deepEqual([...((await find(index, weak))?.keys ?? [])].sort(), [strong, weak]);
    assert.equal(
      await index.find({ project: "demo", element: "app", keys: [strong], generation: "2.x" }, signal),
      undefined,
    );
    assert.equal(await index.find({ project: "..", element: "app", keys: [strong] }, signal), undefined);
    const listed: IndexedArtifact[] = [];
    for await (const each of index.list([{ project: "*", element: "a?p", key: "2" }], signal)) listed.push(each);
    assert.deepEqual(
      listed.map(({ content }) => content.hash),
      [indexed.content.hash],
    );
    assert.equal(await remove({ ...indexed, keys: [weak] }), 1);
    assert.deepEqual([(await find(index, weak))?.keys, (await find(index, strong))?.keys], [undefined, [strong]]);
    assert.equal(await remove(indexed), 1);
    await cache[Symbol.asyncDispose]();
    assert.equal((await prune(signal))?.removedCommits, 0, "it was pruned by then");
    assert.deepEqual(await blobCount(path), 0);
    assert.deepEqual(await readdir(join(path, "refs/heads")), []);
  });

  test("keeps what had come of a pull that broke off, and no name of it", async () => {
    const path = join(await folders.fresh(), "ostree");
    const { index, commits } = openCommitCache(path);
    const { indexed, objects } = await artifact();
    const asked: string[] = [];
    const breaking: ObjectSource = {
      async get(name, maxBytes) {
        asked.push(name);
        const content = await objects.get(name, maxBytes);
        if (content === undefined || asked.filter((each) => each.endsWith(".filez")).length < 3) return content;
        throw new StillageError("invalid", "it is broken");
      },
    };
    await assert.rejects(commits.take?.(indexed, from(breaking), { signal }) ?? Promise.resolve(), { code: "invalid" });
    assert.equal(await find(index, strong), undefined);
    assert.deepEqual([await readdir(join(path, "tmp")), commits.repository !== undefined], [["cache"], true]);
    const first = new Set(asked.splice(0).slice(0, -1));
    const counting: ObjectSource = {
      get(name, maxBytes) {
        asked.push(name);
        return objects.get(name, maxBytes);
      },
    };
    assert.equal(await commits.take?.(indexed, from(counting), { signal }), "published");
    // Files that were on their way are asked for again; each of the three directories had come before its files were asked for.
    const trees = (names: Iterable<string>): string[] => [...names].filter((name) => name.endsWith(".dirtree"));
    assert.deepEqual([trees(first).length, trees(asked)], [3, []]);
    const report = await fsckRepository(commits.repository as ArchiveRepository);
    assert.deepEqual([report.problems, report.commits, report.loose], [[], 1, 0]);
  });

  test("takes nothing that is not what it is said to be", async () => {
    const { indexed, objects } = await artifact();
    for (const ending of [".commit", ".dirtree", ".dirmeta", ".filez"]) {
      const lying: ObjectSource = {
        async get(name, maxBytes) {
          const content = await objects.get(name, maxBytes);
          return content && name.endsWith(ending) ? spoiled(content) : content;
        },
      };
      const { index, commits } = openCommitCache(join(await folders.fresh(), "ostree"));
      await assert.rejects(
        commits.take?.(indexed, from(lying), { signal }) ?? Promise.resolve(),
        { code: "invalid" },
        ending,
      );
      assert.equal(await find(index, strong), undefined);
      const blobs = new ObjectBlobs(lying);
      const { hash } = indexed.content;
      if (ending === ".commit") await assert.rejects(blobs.sizeOf(sha256, hash), { code: "corrupt" });
    }
    const { index, commits } = openCommitCache(join(await folders.fresh(), "ostree"));
    for (const keys of [[], ["a/b"], ["../x"], [""]]) {
      const odd = { ...indexed, keys };
      await assert.rejects(commits.take?.(odd, from(objects), { signal }) ?? Promise.resolve(), { code: "invalid" });
    }
    assert.equal(await find(index, strong), undefined);
    const gone = AbortSignal.abort(new StillageError("cancelled", "enough"));
    await assert.rejects(commits.take?.(indexed, from(objects), { signal: gone }) ?? Promise.resolve(), {
      code: "cancelled",
    });
  });

  test("shows objects as blobs, each verified however it is read", async () => {
    const { repository, commit, objects } = await artifact();
    const files = await readdir(join(repository.directory, "objects"), { recursive: true });
    const sums = files
      .filter((name) => name.endsWith(".filez"))
      .map((name) => name.replace("/", "").replace(".filez", ""));
    const blobs = new ObjectBlobs(objects);
    for (const hash of sums) {
      const size = (await blobs.sizeOf(ostree, hash)) as number;
      const blob = await blobs.open({ function: ostree, hash, size });
      const [head, whole] = [new Uint8Array(20), new Uint8Array(size)];
      await blob?.read(head, 0);
      await blob?.read(whole, 0);
      assert.deepEqual(whole.subarray(0, 20), head);
      blob?.close();
      assert.equal(await blobs.open({ function: ostree, hash, size: size + 1 }), undefined);
    }
    const list = DigestList.of({ function: sha256, hash: commit, size: -1 });
    list.push({ function: sha256, hash: other, size: 1 });
    assert.deepEqual(await blobs.missing(list), [1]);
  });
});

async function* spoiled(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    const bytes = Uint8Array.from(piece);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    yield bytes;
  }
}

async function blobCount(repository: string): Promise<number> {
  const files = await readdir(join(repository, "objects"), { recursive: true, withFileTypes: true });
  return files.filter((each) => each.isFile()).length;
}
