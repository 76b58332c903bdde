import assert from "node:assert/strict";
import { mkdir, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { contentChecksum } from "../commit.ts";
import { encodeDetached } from "../detached.ts";
import { bytesOfHex, tinyAnswers } from "../vectors.fixture.ts";
import { ArchiveRepository } from "./archive-repository.ts";
import { fsckRepository } from "./fsck-repository.ts";
import { commitFiles, Folders, putCommit } from "./repository.fixture.ts";

test("reads what the real program wrote", async () => {
  await using folders = new Folders();
  const repository = await folders.tiny();
  const refs = [...(await repository.refs())].map(([name, { commit }]) => [name, commit]);
  assert.deepEqual(refs, Object.entries(tinyAnswers.commits).sort());
  for (const [ref, commit] of Object.entries(tinyAnswers.commits)) {
    const read = await repository.commit(commit);
    assert.ok(read);
    assert.equal(contentChecksum(read), tinyAnswers.content_checksums[ref]);
  }
  assert.deepEqual(await repository.summary(), {
    bytes: Buffer.from(bytesOfHex(tinyAnswers.summary_hex)),
    signature: Buffer.from(bytesOfHex(tinyAnswers.summary_sig_hex)),
  });
  const report = await fsckRepository(repository);
  assert.deepEqual([report.problems, report.refs, report.commits], [[], 4, 4]);
  assert.equal(await repository.ref("test"), undefined);
  assert.equal(await repository.ref("../config"), undefined);
});

test("a repository is made once, and opened where there is one of its mode", async () => {
  await using folders = new Folders();
  const path = await folders.fresh();
  await assert.rejects(ArchiveRepository.open(path), { code: "not-found" });
  await ArchiveRepository.init(path);
  await assert.rejects(ArchiveRepository.init(path), { code: "exists" });
  await writeFile(join(path, "config"), "[core]\nrepo_version=1\nmode=bare\n");
  await assert.rejects(ArchiveRepository.open(path), { code: "unsupported", message: /mode is bare/ });
});

test("a change happens when it is published, and leaves nothing when it is not", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const change = await repository.begin();
  const commit = await putCommit(change, { file: "content", folder: { same: "content" } });
  change.setRef("line", commit);
  assert.ok(change.has(commit, "commit") && !repository.has(commit, "commit"));
  await assert.rejects(repository.begin({ patienceMs: 0 }), { code: "unavailable" });
  await change.abort();
  assert.deepEqual(await readdir(join(repository.directory, "objects")), []);
  assert.deepEqual(await readdir(join(repository.directory, "tmp")), ["cache"]);

  const again = await repository.begin();
  assert.equal(await putCommit(again, { file: "content", folder: { same: "content" } }), commit);
  again.setRef("line", commit);
  again.setDetached(commit, encodeDetached([["note", { type: "s", value: "text" }]]));
  await again.publish();
  await assert.rejects(again.publish(), { code: "failed-precondition" });
  assert.equal(await repository.ref("line"), commit);
  assert.equal((await readdir(join(repository.directory, "tmp"))).length, 1);
  // A commit, two directories, their one dirmeta, one file, which is there twice, and the detached metadata.
  const objects = (await readdir(join(repository.directory, "objects"), { recursive: true })).filter(
    (each) => each.length > 2,
  );
  assert.equal(objects.length, 6);
  const file = objects.find((each) => each.endsWith(".filez")) ?? "";
  assert.equal((await stat(join(repository.directory, "objects", file))).mode & 0o777, 0o644);
  assert.deepEqual((await fsckRepository(repository)).problems, []);
});

test("giving up waits for what is being written, and takes nothing more", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const change = await repository.begin();
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<Uint8Array> {
    await promise;
    yield new Uint8Array(12);
    throw new Error("more was asked for");
  }
  const puts = ["1", "2"].map((digit) => change.putForeign(digit.repeat(64), "file", async () => slow()));
  const ends = Promise.allSettled([...puts, change.abort()]);
  await assert.rejects(change.putMetadata("dirtree", new Uint8Array(1)), { code: "cancelled" });
  resolve();
  const [one, two, aborted] = await ends;
  for (const end of [one, two])
    assert.match(String(end?.status === "rejected" && end.reason), /the change was given up/);
  assert.equal(aborted?.status, "fulfilled");
  assert.deepEqual(await readdir(join(repository.directory, "tmp")), ["cache"]);
  await (await repository.begin()).abort();
});

test("refs that cannot be are refused, and nothing changes", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const commit = await commitFiles(repository, "a/b", { file: "1" });
  const refused = async (name: string, to: string, code: string): Promise<void> => {
    await using change = await repository.begin();
    change.setRef(name, to);
    await assert.rejects(change.publish(), { code });
  };
  await refused("a", commit, "failed-precondition");
  await refused("a/b/c", commit, "failed-precondition");
  await refused("other", "0".repeat(64), "not-found");
  await using change = await repository.begin();
  for (const name of ["", "a//b", "../a", "a/..", "-a", "ä"]) {
    assert.throws(() => change.setRef(name, commit), { code: "invalid" }, name);
  }
  assert.throws(() => change.setRef("fine", "text"), { code: "invalid" });
  await assert.rejects(change.putMetadata("dirtree", new Uint8Array()), { code: "invalid" });
  await change.abort();
  assert.deepEqual([...(await repository.refs()).keys()], ["a/b"]);
});

test("a directory of refs goes with its last one", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const commit = await commitFiles(repository, "deep/er/line", { file: "1" });
  await using change = await repository.begin();
  change.setRef("deep/er/line", undefined);
  change.setRef("deep", commit);
  await change.publish();
  assert.deepEqual([...(await repository.refs())], [["deep", { commit }]]);
  assert.deepEqual(await readdir(join(repository.directory, "refs/heads")), ["deep"]);
});

test("what was decided and cannot be finished is finished by the next change that can", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const commit = await commitFiles(repository, "line", { file: "1" });
  const obstacle = join(repository.directory, "refs/heads/next");
  const change = await repository.begin();
  change.setRef("another", commit);
  change.setRef("next", commit);
  // Comes when it has been looked whether anything is in the way.
  const signSummary = async (): Promise<undefined> => {
    await mkdir(obstacle);
    await writeFile(join(obstacle, ".no-ref"), "");
  };
  await assert.rejects(change.publish({ signSummary }), { code: "internal", message: /cannot publish a change/ });
  await assert.rejects(repository.begin(), { code: "internal", message: /cannot finish what an earlier change/ });
  await rm(obstacle, { recursive: true });
  await (await repository.begin()).abort();
  assert.deepEqual([...(await repository.refs()).keys()], ["another", "line", "next"]);
  assert.deepEqual((await fsckRepository(repository)).problems, []);
  assert.deepEqual(await readdir(join(repository.directory, "tmp")), ["cache"]);
});

test("an alias is read where it leads to a ref, and a link to elsewhere is refused", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const commit = await commitFiles(repository, "deep/line", { file: "1" });
  const heads = join(repository.directory, "refs/heads");
  await symlink("deep/line", join(heads, "stable"));
  await symlink("nowhere", join(heads, "dangling"));
  const refs = [
    ["deep/line", { commit }],
    ["stable", { commit, aliasOf: "deep/line" }],
  ];
  assert.deepEqual([...(await repository.refs())], refs);
  await writeFile(join(repository.directory, "outside"), `${commit}\n`);
  await symlink("../../outside", join(heads, "out"));
  await assert.rejects(repository.refs(), { code: "corrupt", message: /the ref out/ });
  await writeFile(join(heads, "text"), "text");
  await assert.rejects(repository.ref("text"), { code: "corrupt", message: /it says "text"/ });
});

test("the signature belongs to the summary, or is gone", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const commit = await commitFiles(repository, "line", { file: "1" });
  const signSummary = async (bytes: Uint8Array) => encodeDetached([["of", { type: "ay", value: bytes }]]);
  const change = await repository.begin();
  change.setRef("next", commit);
  await change.publish({ signSummary });
  const signed = await repository.summary();
  assert.ok(signed?.signature && Buffer.from(signed.signature).includes(signed.bytes));
  await commitFiles(repository, "line", { file: "2" });
  assert.equal((await repository.summary())?.signature, undefined);
  const failing = await repository.begin();
  failing.setRef("line", undefined);
  const failed = failing.publish({ signSummary: () => Promise.reject(new Error("no key")) });
  await assert.rejects(failed, { message: "no key" });
  assert.deepEqual([...(await repository.refs()).keys()], ["line", "next"]);
});
