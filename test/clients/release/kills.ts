import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ArchiveRepository } from "../../../src/ostree/archive/archive-repository.ts";
import { directoryTree } from "../../../src/ostree/archive/directory-tree.ts";
import { allReleases } from "../../../src/release/history.ts";
import { createRelease } from "../../../src/release/publish.ts";
import { releaseFolder, requestFor } from "../../../src/release/releases.fixture.ts";
import { programFile } from "../../support/program-file.ts";
import { ostree, realFsck } from "../support/ostree.ts";
import { createWorkspace } from "../support/workspace.ts";

/** When a release is killed: as soon as this is so in the repository's directory. */
const moments: readonly [what: string, isNow: (directory: string) => boolean][] = [
  ["objects are staged", (directory) => isStaging(directory)],
  ["objects are placed", (directory) => countIn(join(directory, "public/repo/objects")) > 2],
  ["it is being prepared", (directory) => readdirSync(join(directory, "prepared")).length > 0],
  ["the files beside it are there", (directory) => countIn(join(directory, "public/releases")) > 0],
  ["branches begin to move", (directory) => existsSync(join(directory, "unfinished"))],
  ["the branch has moved", (directory) => existsSync(join(directory, "public/repo/refs/heads/main"))],
];

/** Enough for every step to take some milliseconds. */
const files = 200;

export function testKills(): void {
  test("a release that is killed is there or not, and the next one goes on", async () => {
    await using workspace = await createWorkspace();
    const tree = await workspace.folder("tree");
    for (let i = 0; i < files; i++) await writeFile(join(tree, `${i}`), `file ${i}\n`.repeat(i));
    const reached = new Set<string>();
    for (const [what, isNow] of moments) {
      await using folder = await releaseFolder();
      const { layout, ...repository } = await folder.init("os");
      const child = start(folder.path, ["create", "--tree", tree, "--branch", "main", "--version", "1"]);
      if (await killedWhen(child, () => isNow(layout.directory))) reached.add(what);
      await realFsck(layout.archive);
      const before = await gather(allReleases(await ArchiveRepository.open(layout.archive)));
      for (const { commit } of before) assert.ok(existsSync(join(layout.release(commit), "manifest.json")), what);

      await folder.write({ layout, ...repository }, async (writer) => {
        const request = requestFor({}, { tree: directoryTree(tree), version: "1", timestamp: 2000 });
        const { commits, unchanged } = await createRelease(writer, request, { dryRun: false, now: 0 });
        assert.deepEqual([commits.length, unchanged.length], [1 - before.length, before.length], what);
        const [only, ...others] = await gather(allReleases(writer.archive));
        assert.deepEqual([only?.version, others], ["1", []], what);
        const commit = only?.commit ?? "none";
        assert.equal((await ostree(layout.archive, "rev-parse", "main")).trim(), commit);
        assert.ok((await ostree(layout.archive, "summary", "--view")).includes(commit), `the summary: ${what}`);
        assert.ok((await readFile(layout.page, "utf8")).includes(commit), `the page: ${what}`);
      });
      assert.deepEqual(await readdir(layout.prepared), [], what);
      assert.equal(isStaging(layout.directory), false, what);
      const warnings = folder.warnings.filter((each) => !each.startsWith("nobody signs this release;"));
      assert.deepEqual(warnings, [], what);
    }
    // Whoever is quicker than the look at one moment ends before it.
    assert.ok(reached.size >= moments.length / 2, `killed when ${[...reached].join(", ")}`);
  });

  test("checks and hooks may end the process, too", async () => {
    await using workspace = await createWorkspace();
    const tree = await workspace.folder("tree");
    await mkdir(join(tree, "etc"));
    await using folder = await releaseFolder();
    const repositories = [
      await folder.init("checked", { checks: ["kill -9 $PPID"] }),
      await folder.init("hooked", { hooks: ["kill -9 $PPID"] }),
    ];
    for (const { name, layout } of repositories) {
      const words = ["create", "--tree", tree, "--branch", "main", "--repository", name];
      const [status, signal] = await once(start(folder.path, words), "close");
      assert.deepEqual([status, signal], [null, "SIGKILL"]);
      const releases = await gather(allReleases(await ArchiveRepository.open(layout.archive)));
      assert.equal(releases.length, name === "hooked" ? 1 : 0);
      await realFsck(layout.archive);
    }
    const [, hooked] = repositories;
    assert.ok(hooked);
    await folder.write(hooked, async (writer) => {
      const request = requestFor({}, { tree: directoryTree(tree) });
      assert.equal((await createRelease(writer, request, { dryRun: false, now: 0 })).commits.length, 0);
      assert.deepEqual(await readdir(hooked.layout.prepared), []);
    });
  });
}

function start(releases: string, words: readonly string[]): ChildProcess {
  const env = { PATH: process.env.PATH, STILLAGE_RELEASES: releases };
  return spawn(process.execPath, [programFile("stillage"), "release", ...words], { env, stdio: "ignore" });
}

/** Kills a process as soon as something is so. False where it ended before. */
async function killedWhen(child: ChildProcess, isNow: () => boolean): Promise<boolean> {
  const ended = once(child, "close");
  while (child.exitCode === null && !isNow()) await turn();
  const isAlive = child.exitCode === null;
  child.kill("SIGKILL");
  await ended;
  return isAlive;
}

function isStaging(directory: string): boolean {
  return readdirSync(join(directory, "public/repo/tmp")).some((name) => name !== "cache");
}

function countIn(directory: string): number {
  return existsSync(directory) ? readdirSync(directory).length : 0;
}

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
