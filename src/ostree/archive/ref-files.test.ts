import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { ArchiveRepository } from "./archive-repository.ts";
import { fsckRepository } from "./fsck-repository.ts";
import { pruneRepository } from "./prune-repository.ts";
import { commitFiles, Folders } from "./repository.fixture.ts";

const problems = async (repository: ArchiveRepository): Promise<string[]> =>
  (await fsckRepository(repository)).problems.map(
    ({ kind, what, message }) => `${kind} ${what.slice(0, 40)}: ${message}`,
  );

test("commits stay to which files lead that are no refs of ours", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const refs = join(repository.directory, "refs");
  await commitFiles(repository, "line", { file: "1" });
  const long = `heads/${Array(6).fill("s".repeat(200)).join("/")}`;
  for (const [index, name] of [long, "remotes/origin/line", "mirrors/org.example/line"].entries()) {
    await commitFiles(repository, "other", { file: name });
    await mkdir(dirname(join(refs, name)), { recursive: true });
    await rename(join(refs, "heads/other"), join(refs, name));
    assert.equal((await pruneRepository(repository, { keep: {} })).keptCommits, index + 2, name);
  }
  // An editor's file, which is nothing.
  await writeFile(join(refs, "heads/.line.swp"), "text");
  assert.deepEqual(await problems(repository), [
    `foreign ${long.slice(0, 40)}: its name is none that a ref can have`,
    "summary summary: it says something else of 1 refs: other",
  ]);
  await writeFile(join(refs, "remotes/origin/line"), `${"0".repeat(64)}\n`);
  assert.equal((await problems(repository)).filter((each) => each.startsWith("ref remotes/origin/line")).length, 1);
  await assert.rejects(pruneRepository(repository, { keep: {} }), { code: "corrupt", message: /not there/ });
});

test("nothing is pruned or published beside what cannot be read as a ref", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const refs = join(repository.directory, "refs");
  const commit = await commitFiles(repository, "line", { file: "1" });
  const bad: Record<string, (path: string) => unknown> = {
    "a link to a directory": (path) => symlink("deep", path),
    "a link to itself": (path) => symlink("bad", path),
    "a link to an endless device": (path) => symlink("/dev/zero", path),
    "a pipe": (path) => execFileSync("mkfifo", [path]),
    "an empty file": (path) => writeFile(path, ""),
    "a long file": (path) => writeFile(path, "0".repeat(1000)),
  };
  for (const [what, make] of Object.entries(bad)) {
    for (const folder of ["heads", "remotes/origin"]) {
      await mkdir(join(refs, folder, "deep"), { recursive: true });
      const path = join(refs, folder, "bad");
      await make(path);
      await assert.rejects(
        pruneRepository(repository, { keep: {} }),
        { code: "corrupt", message: /cannot be read/ },
        what,
      );
      assert.match((await problems(repository)).join(), /ref (?:remotes\/origin\/)?bad: .* cannot be read/, what);
      if (folder === "heads") {
        await using change = await repository.begin();
        change.setRef("next", commit);
        await assert.rejects(change.publish(), { code: "corrupt" }, what);
      }
      await rm(path);
    }
  }
  assert.deepEqual(await problems(repository), []);
});
