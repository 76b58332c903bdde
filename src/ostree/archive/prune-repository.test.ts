import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { encodeDetached } from "../detached.ts";
import { bytesOfChecksum } from "../object-name.ts";
import { ArchiveRepository } from "./archive-repository.ts";
import { directorySource } from "./directory-source.ts";
import { fsckRepository } from "./fsck-repository.ts";
import { mirrorRepository } from "./mirror-repository.ts";
import type { ObjectSource } from "./object-source.ts";
import { pruneRepository } from "./prune-repository.ts";
import { commitFiles, Folders, putCommit } from "./repository.fixture.ts";
import { tombstonePath } from "./repository-layout.ts";
import { tombstone } from "./tombstone.ts";

const text64 = (commit: string): string =>
  Buffer.from(bytesOfChecksum(commit)).toString("base64").replaceAll("/", "_").replace("=", "");

test("what goes takes what is beside it along: signatures, deltas, marks; tombstones stay", async () => {
  await using folders = new Folders();
  const { directory } = await folders.repository();
  await writeFile(join(directory, "config"), "[core]\nrepo_version=1\nmode=archive-z2\ntombstone-commits=true\n");
  const repository = await ArchiveRepository.open(directory);
  const old = await commitFiles(repository, "line", { file: "1", same: "same" });
  const head = await commitFiles(repository, "line", { file: "2", same: "same" });
  await using change = await repository.begin();
  for (const commit of [old, head]) change.setDetached(commit, encodeDetached([]));
  await change.publish();
  const delta = (from: string | undefined, to: string): string => {
    const name = from === undefined ? text64(to) : `${text64(from)}-${text64(to)}`;
    return join(directory, "deltas", name.slice(0, 2), name.slice(2), "superblock");
  };
  const deltas = [delta(undefined, old), delta(old, head), delta(undefined, head)];
  for (const path of deltas) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "");
  }
  const report = await pruneRepository(repository, { keep: { depth: 0 } });
  assert.deepEqual([report.removedCommits, report.removedObjects, report.removedDeltas], [1, 3, 2]);
  assert.deepEqual(deltas.map(existsSync), [false, false, true]);
  assert.deepEqual([await repository.readDetached(old), await repository.commit(old)], [undefined, undefined]);
  assert.deepEqual(await readFile(join(directory, tombstonePath(old))), Buffer.from(tombstone(old)));
  assert.deepEqual((await fsckRepository(repository)).problems, []);
});

test("nothing is pruned where what is to be kept cannot be read", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  await commitFiles(repository, "line", { file: "1" });
  const head = await commitFiles(repository, "line", { file: "2", folder: {} });
  await commitFiles(repository, "other", { file: "3" });
  const { tree = "" } = (await repository.commit(head)) ?? {};
  await rm(repository.pathOf(tree, "dirtree"));
  await assert.rejects(pruneRepository(repository, { keep: { depth: 0 } }), { code: "corrupt", message: /dirtree/ });
  await rm(repository.pathOf(head, "commit"));
  await assert.rejects(pruneRepository(repository, { keep: { depth: 0 } }), {
    code: "corrupt",
    message: /a ref leads/,
  });
  assert.equal((await fsckRepository(repository)).objects, 9);
});

test("the check finds what is damaged, missing, foreign, and refs to nowhere", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const commit = await commitFiles(repository, "line", { lost: "1", damaged: "2" });
  const { tree = "" } = (await repository.commit(commit)) ?? {};
  const [damaged, lost] = (await repository.dirTree(tree))?.files ?? [];
  await rm(repository.pathOf(lost?.checksum ?? "", "file"));
  const path = repository.pathOf(damaged?.checksum ?? "", "file");
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xff, bytes.length - 1));
  await writeFile(join(repository.directory, "objects", commit.slice(0, 2), "text"), "");
  await writeFile(join(repository.directory, "refs/heads/nowhere"), `${"0".repeat(64)}\n`);
  await writeFile(`${repository.pathOf(commit, "commit")}meta`, "text");
  const report = await fsckRepository(repository);
  const found = report.problems.map(({ kind, what }) => `${kind} ${what.split("/").at(-1)}`);
  const name = (checksum: string | undefined): string => `${checksum}.filez`;
  const expected = [
    `damaged ${commit.slice(2)}.commitmeta`,
    `damaged ${name(damaged?.checksum)}`,
    "foreign text",
    `missing ${name(lost?.checksum)}`,
    "ref nowhere",
    "summary summary",
  ];
  assert.deepEqual(found.sort(), expected.sort());
  assert.equal(report.problemCount, 6);
});

test("a mirror follows: moved, new and removed refs, with the summary's very bytes", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.tiny(), await folders.repository()];
  await commitFiles(target, "own", { file: "own" });
  const from = directorySource(source.directory);
  const kept = await mirrorRepository(target, from);
  assert.deepEqual([kept.changedRefs, kept.pruned], [4, undefined]);
  assert.deepEqual([...(await target.refs()).keys()].includes("own"), true);
  assert.deepEqual((await fsckRepository(target)).problems, []);
  const report = await mirrorRepository(target, from, { remove: true });
  assert.deepEqual([report.changedRefs, report.pruned?.removedCommits], [1, 1]);
  assert.deepEqual([...(await target.refs()).keys()], [...(await source.refs()).keys()]);
  await using change = await source.begin();
  const commit = await putCommit(change, { file: "new" });
  change.setRef("test/new", commit);
  change.setRef("test/two", undefined);
  await change.publish();
  const next = await mirrorRepository(target, from, { remove: true });
  assert.deepEqual([next.changedRefs, next.pulled.commits > 0], [2, true]);
  assert.deepEqual(await target.summary(), await source.summary());
  assert.deepEqual((await fsckRepository(target)).problems, []);
  await rm(join(source.directory, "summary"));
  await assert.rejects(mirrorRepository(target, from), { code: "not-found", message: /no summary/ });
});

test("a mirror takes a summary with the signature that belongs to it, or nothing", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.repository(), await folders.repository()];
  await commitFiles(source, "line", { file: "1" });
  const from = directorySource(source.directory);
  await using change = await source.begin();
  await change.publish({
    summary: "refresh",
    signSummary: async (of) => encodeDetached([["of", { type: "ay", value: of }]]),
  });
  const before = await source.summary();
  assert.ok(before?.signature);
  const next = encodeDetached([["of", { type: "s", value: "the next summary" }]]);
  /** As another program publishes: the next signature, and so many readings later the next summary. */
  const publishing = (times: number): ObjectSource => {
    let reads = 0;
    return {
      async get(path, maxBytes) {
        const signature = reads < 2 * times ? (reads % 4 < 2 ? next : before.signature) : before.signature;
        if (path.startsWith("summary")) reads++;
        if (path !== "summary.sig" || signature === undefined) return from.get(path, maxBytes);
        return (async function* () {
          yield signature;
        })();
      },
    };
  };
  await assert.rejects(mirrorRepository(target, publishing(100)), { code: "unavailable", message: /changes all the/ });
  assert.deepEqual([(await target.refs()).size, await target.summary()], [0, undefined]);
  await mirrorRepository(target, publishing(1));
  assert.deepEqual(await target.summary(), before);
});
