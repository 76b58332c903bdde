import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tinyAnswers } from "../vectors.fixture.ts";
import { directorySource } from "./directory-source.ts";
import { fsckRepository } from "./fsck-repository.ts";
import { pruneRepository } from "./prune-repository.ts";
import { pullCommits } from "./pull.ts";
import { commitFiles, Folders } from "./repository.fixture.ts";

const root = tinyAnswers.commits["test/xattrs"] ?? "";

test("a change beside others keeps nobody from writing, and is published after it has joined", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.tiny(), await folders.repository()];
  await using change = await target.beginBeside();
  await pullCommits(change, directorySource(source.directory), [root]);
  await commitFiles(target, "other", { file: "other" });
  change.setRef("slow", root);
  await assert.rejects(change.publish(), { code: "failed-precondition", message: /beside others/ });
  await change.abort();
  assert.deepEqual(await readdir(join(target.directory, "tmp")), ["cache"]);
  await using again = await target.beginBeside();
  await pullCommits(again, directorySource(source.directory), [root]);
  await commitFiles(target, "third", { file: "third" });
  await again.joinAlone([root]);
  again.setRef("slow", root);
  await again.publish();
  assert.deepEqual([...(await target.refs()).keys()], ["other", "slow", "third"]);
  assert.deepEqual((await fsckRepository(target)).problems, []);
  assert.deepEqual(await readdir(join(target.directory, "tmp")), ["cache"]);
});

test("what a change beside others counts on may be pruned: then it is not published", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.tiny(), await folders.repository()];
  {
    await using lost = await target.begin();
    await pullCommits(lost, directorySource(source.directory), [root]);
    await lost.publish();
  }
  await using change = await target.beginBeside();
  await pullCommits(change, directorySource(source.directory), [root]);
  await pruneRepository(target, { keep: {} });
  await assert.rejects(change.joinAlone([root]), { code: "aborted", message: /^the commit .* was removed/ });
});

test("directories and locks that nobody has any more go with the next change", async () => {
  await using folders = new Folders();
  const target = await folders.repository();
  const tmp = join(target.directory, "tmp");
  await using alive = await target.beginBeside();
  await writeFile(join(tmp, "stillage-dead.lock"), "");
  await (await target.begin()).abort();
  const left = (await readdir(tmp)).filter((name) => name !== "cache").sort();
  assert.equal(left.length, 2);
  assert.equal(`${left[0]}.lock`, left[1]);
  await alive.abort();
  await rm(join(tmp, "cache"), { recursive: true });
  assert.deepEqual(await readdir(tmp), []);
});
