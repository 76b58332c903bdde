import assert from "node:assert/strict";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { commitFiles, Folders } from "./repository.fixture.ts";

test("empty directories make way for refs of their names", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const heads = join(repository.directory, "refs/heads");
  const commit = await commitFiles(repository, "deep/er/line", { file: "1" });
  await mkdir(join(heads, "a/b/c"), { recursive: true });
  await mkdir(join(heads, "deep/er/empty"));
  await using change = await repository.begin();
  change.setRef("a", commit);
  change.setRef("deep/er/line", undefined);
  change.setRef("deep", commit);
  await change.publish();
  assert.deepEqual(
    [...(await repository.refs())],
    [
      ["a", { commit }],
      ["deep", { commit }],
    ],
  );
  assert.deepEqual(await readdir(heads), ["a", "deep"]);
});

test("nothing changes where something is in the way that is no ref", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const heads = join(repository.directory, "refs/heads");
  const commit = await commitFiles(repository, "line", { file: "1" });
  await mkdir(join(heads, "a/empty"), { recursive: true });
  await writeFile(join(heads, "a/.hidden"), "");
  await symlink("nowhere", join(heads, "dangling"));
  for (const name of ["a", "dangling/line", "dangling/line/deeper"]) {
    await using change = await repository.begin();
    change.setRef("0first", commit);
    change.setRef(name, commit);
    await assert.rejects(change.publish(), { code: "failed-precondition", message: /in its way/ }, name);
    await change.abort();
    assert.deepEqual([...(await repository.refs()).keys()], ["line"]);
  }
  await rm(join(heads, "a/.hidden"));
  await using change = await repository.begin();
  change.setRef("a", commit);
  change.setRef("dangling", commit);
  await change.publish();
  assert.deepEqual([...(await repository.refs()).keys()], ["a", "dangling", "line"]);
});
