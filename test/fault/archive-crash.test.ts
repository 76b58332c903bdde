import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ArchiveRepository } from "../../src/ostree/archive/archive-repository.ts";
import { fsckRepository } from "../../src/ostree/archive/fsck-repository.ts";
import { pruneRepository } from "../../src/ostree/archive/prune-repository.ts";
import { makeChange, makeRepository, refsAfterwards, refsBefore } from "./archive-change.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const writer = join(import.meta.dirname, "archive-writer.ts");

/** The refs, each with the number of the tree to which it leads. */
async function refsOf(repository: ArchiveRepository): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [name, { commit }] of await repository.refs()) {
    found[name] = Number((await repository.commit(commit))?.subject);
    assert.match(
      Buffer.from((await repository.readDetached(commit)) ?? []).toString(),
      new RegExp(`number ${found[name]}`),
    );
  }
  return found;
}

test("a change in an archive repository that is killed at any step happens whole or not at all", {
  timeout: 120_000,
}, async () => {
  await using directory = await temporaryDirectory();
  const before = join(directory.path, "before");
  await makeRepository(before);
  const run = async (step: number, again?: string): Promise<{ path: string; killed: boolean; said: string }> => {
    const path = again ?? join(directory.path, `killed-${step}`);
    if (again === undefined) await cp(before, path, { recursive: true });
    const { signal, stdout, stderr } = spawnSync(process.execPath, [writer, path, `${step}`], { encoding: "utf8" });
    assert.equal(stderr, "");
    return { path, killed: signal === "SIGKILL", said: stdout };
  };
  const whole = await run(-1);
  const steps = Number(whole.said);
  assert.ok(!whole.killed && steps > 80, `${steps} steps`);

  const outcomes: string[] = [];
  const moments = 20;
  for (let moment = 0; moment < moments; moment++) {
    // The last third of the steps is where all is decided.
    const step = Math.floor(steps * (moment / moments) ** 0.6);
    const { path, killed } = await run(step);
    assert.ok(killed, `step ${step}`);
    // Every second one is killed again, while it finishes or removes what the first has left.
    if (moment % 2 === 1) assert.ok((await run(4 + (moment % 12), path)).killed);
    const repository = await ArchiveRepository.open(path);
    const found = await fsckRepository(repository);
    assert.deepEqual(
      found.problems.filter(({ kind }) => kind !== "summary"),
      [],
      `after step ${step}`,
    );
    // Each ref leads to what it did before or to what it will, with its detached metadata.
    for (const [name, number] of Object.entries(await refsOf(repository))) {
      assert.ok([refsBefore, refsAfterwards].some((refs) => (refs as Record<string, number>)[name] === number));
    }

    await (await repository.begin()).abort();
    assert.deepEqual(await readdir(join(path, "tmp")), ["cache"]);
    assert.deepEqual((await fsckRepository(repository)).problems, [], `after step ${step}, and the next change`);
    const refs = await refsOf(repository);
    const summary = await repository.summary();
    assert.match(Buffer.from(summary?.signature ?? []).toString("latin1"), /^bytes/);
    const outcome = "fresh" in refs ? "after" : "before";
    assert.deepEqual(refs, outcome === "after" ? refsAfterwards : refsBefore);
    outcomes.push(outcome);

    await makeChange(path);
    assert.deepEqual(await refsOf(repository), refsAfterwards);
    await pruneRepository(repository, { keep: {} });
    const end = await fsckRepository(repository);
    assert.deepEqual([end.problems, end.loose, end.commits], [[], 0, 1]);
  }
  // Once decided, it stays so.
  assert.deepEqual(outcomes, outcomes.toSorted().reverse());
  assert.deepEqual([...new Set(outcomes)], ["before", "after"]);
});
