import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { directorySource } from "../ostree/archive/directory-source.ts";
import { fsckRepository } from "../ostree/archive/fsck-repository.ts";
import { allReleases } from "./history.ts";
import { readMirrorList } from "./mirror-list.ts";
import { mirrorReleases } from "./mirror-releases.ts";
import { pruneReleases } from "./prune-releases.ts";
import { createRelease, prepareRelease, publishPrepared } from "./publish.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { releaseFolder, requestFor } from "./releases.fixture.ts";
import type { Keep } from "./repository-settings.ts";

const once = { dryRun: false, now: 0 };
const dayMs = 86_400_000;

async function versions({ archive }: ReleaseWriter): Promise<string[]> {
  const found: string[] = [];
  for await (const { branch, version } of allReleases(archive)) found.push(`${branch} ${version}`);
  return found;
}

async function release(writer: ReleaseWriter, branch: string, version: string): Promise<void> {
  const day = Number(version) * (dayMs / 1000);
  await createRelease(writer, requestFor({ f: version }, { branches: [branch], version, timestamp: day }), once);
}

describe("what a repository keeps", () => {
  it("is what a rule says: of each branch at least the newest, and what is prepared", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      for (const version of ["1", "2", "3"]) await release(writer, "main", version);
      await release(writer, "old", "1");
      const waiting = requestFor({ waiting: "yes" }, { branches: ["main"] });
      const { prepared } = await prepareRelease(writer, waiting, { ...once, keep: true });
      const left = async (rule: Keep, dryRun = false): Promise<[number, string[]]> => {
        const { removed } = await pruneReleases(writer, rule, { dryRun, now: 4.5 * dayMs });
        return [removed.length, await versions(writer)];
      };
      const all = ["main 3", "main 2", "main 1", "old 1"];
      assert.deepEqual(await left({ kind: "all" }), [0, all]);
      assert.deepEqual(await left({ kind: "last", count: 1 }, true), [2, all]);
      assert.deepEqual(await left({ kind: "younger", ms: 3 * dayMs }), [1, ["main 3", "main 2", "old 1"]]);
      assert.deepEqual(await left({ kind: "last", count: 1 }), [1, ["main 3", "old 1"]]);
      assert.equal((await readdir(repository.layout.releases)).length, 2);
      const { problems, loose } = await fsckRepository(writer.archive);
      assert.deepEqual([problems, loose], [[], 0]);
      assert.ok(prepared);
      await publishPrepared(writer, prepared);
      assert.deepEqual((await fsckRepository(writer.archive)).problems, []);
      await release(writer, "main", "5");
    });
  });
});

describe("a mirror", () => {
  it("has the same releases, with what lies beside them, and goes on where it was", async () => {
    await using folder = await releaseFolder();
    const [from, to] = [await folder.init("from"), await folder.init("to")];
    const mirror = (remove = false) =>
      folder.write(to, async (writer) => {
        const { changedBranches, files } = await mirrorReleases(writer, directorySource(from.layout.public), {
          remove,
        });
        return [changedBranches, files, ...(await versions(writer))];
      });
    await folder.write(from, (writer) => release(writer, "main", "1"));
    assert.deepEqual(await mirror(), [1, 3, "main 1"]);
    await folder.write(from, (writer) => release(writer, "main", "2"));
    await folder.write(from, (writer) => release(writer, "other", "1"));
    assert.deepEqual(await mirror(), [2, 6, "main 2", "main 1", "other 1"]);
    assert.deepEqual(await mirror(), [0, 0, "main 2", "main 1", "other 1"]);
    const releases = async (layout: typeof from.layout): Promise<unknown> =>
      JSON.parse(await readFile(layout.list, "utf8")).releases;
    assert.deepEqual(await releases(to.layout), await releases(from.layout));
    for (const name of ["summary", "refs/heads/main"]) {
      const [one, other] = await Promise.all([from, to].map(({ layout }) => readFile(join(layout.archive, name))));
      assert.deepEqual(one, other, name);
    }
    assert.deepEqual(await readdir(to.layout.prepared), []);
  });

  it("takes nothing that is not what the list says", async () => {
    await using folder = await releaseFolder();
    const [from, to] = [await folder.init("from"), await folder.init("to")];
    await folder.write(from, (writer) => release(writer, "main", "1"));
    const [commit = ""] = await readdir(from.layout.releases);
    await writeFile(join(from.layout.release(commit), "manifest.json"), "{}");
    const bad = folder.write(to, (writer) =>
      mirrorReleases(writer, directorySource(from.layout.public), { remove: false }),
    );
    await assert.rejects(bad, { code: "invalid", message: /is not what its list says/ });
    assert.deepEqual(await readdir(to.layout.releases), []);
    const none = folder.write(to, (writer) => mirrorReleases(writer, directorySource(folder.path), { remove: false }));
    await assert.rejects(none, { code: "not-found" });
  });

  it("takes a list with keys that are called by addresses", () => {
    const keys = [{ files: ["keys/releases@example.org.gpg"] }];
    const list = readMirrorList(Buffer.from(JSON.stringify({ listVersion: 1, keys })));
    assert.deepEqual(list.keys, ["keys/releases@example.org.gpg"]);
  });

  const commit = "a".repeat(64);
  const file = { path: `releases/${commit}/x`, sha256: commit, size: 1 };
  const listed = (more: object): object => ({ listVersion: 1, releases: [{ commit, files: [{ ...file, ...more }] }] });
  const bad: readonly [what: string, list: unknown][] = [
    ["no JSON object", "x"],
    ["another version", { listVersion: 2 }],
    ["a path that leads out", listed({ path: `releases/${commit}/../../repo/config` })],
    ["a path of another release", listed({ path: `releases/${"b".repeat(64)}/x` })],
    ["a hidden file", listed({ path: `releases/${commit}/.x` })],
    ["a wrong size", listed({ size: -1 })],
    ["a wrong hash", listed({ sha256: "x" })],
    ["a key elsewhere", { listVersion: 1, keys: [{ files: ["keys/../index.html"] }] }],
    ["a release without a commit", { listVersion: 1, releases: [{}] }],
  ];
  it("takes from a list whatever a key can be called", () => {
    const keys = ["keys/releases@example.org.gpg", "keys/a-b.c+d_1.pem"];
    const list = { listVersion: 1, keys: [{ files: keys }], releases: [] };
    assert.deepEqual(readMirrorList(Buffer.from(JSON.stringify(list))).keys, keys);
  });

  for (const [what, list] of bad) {
    it(`refuses a list with ${what}`, () => {
      assert.throws(() => readMirrorList(Buffer.from(JSON.stringify(list))), { code: "invalid" });
    });
  }
});
