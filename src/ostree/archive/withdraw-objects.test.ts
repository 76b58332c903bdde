import assert from "node:assert/strict";
import { test } from "node:test";
import { tinyAnswers } from "../vectors.fixture.ts";
import { directorySource } from "./directory-source.ts";
import { fsckRepository } from "./fsck-repository.ts";
import { pullCommits } from "./pull.ts";
import { commitFiles, Folders } from "./repository.fixture.ts";
import { storedFiles } from "./stored-objects.ts";
import { withdrawObjects } from "./withdraw-objects.ts";

const root = tinyAnswers.commits["test/xattrs"] ?? "";

async function paths(repository: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of storedFiles(repository)) if (!path.endsWith("meta")) found.push(path);
  return found.sort();
}

test("objects that a change has put go again, and those that were there stay", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.tiny(), await folders.repository()];
  await commitFiles(target, "other", { file: "other" });
  const [before, refs] = [await paths(target.directory), await target.refs()];
  await using change = await target.beginBeside();
  await pullCommits(change, directorySource(source.directory), [root]);
  await using overtaking = await target.begin();
  const { treeMeta = "" } = (await source.commit(root)) ?? {};
  await overtaking.putMetadata("dirmeta", (await source.readMetadata(treeMeta, "dirmeta")) ?? new Uint8Array());
  await overtaking.publish();
  const between = await paths(target.directory);
  await change.joinAlone([root]);
  await change.publish();
  assert.notDeepEqual(await paths(target.directory), between);
  await withdrawObjects(target, change.placed, refs);
  assert.deepEqual(await paths(target.directory), between);
  assert.ok(between.length >= before.length);
  assert.deepEqual((await fsckRepository(target)).problems, []);
});

test("they stay where a ref has moved since", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.tiny(), await folders.repository()];
  const refs = await target.refs();
  await using change = await target.begin();
  await pullCommits(change, directorySource(source.directory), [root]);
  change.setRef("moved", root);
  await change.publish();
  assert.notEqual(change.placed.length, 0);
  const there = await paths(target.directory);
  await withdrawObjects(target, change.placed, refs);
  assert.deepEqual(await paths(target.directory), there);
});
