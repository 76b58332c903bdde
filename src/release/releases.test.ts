import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fsckRepository } from "../ostree/archive/fsck-repository.ts";
import type { Attachment } from "./attachment.ts";
import { endOfLifeOf, prepareDerived, rollbackOf } from "./derive.ts";
import { allReleases, releaseMeant } from "./history.ts";
import { listPrepared, readPrepared } from "./prepared-files.ts";
import { createRelease, prepareRelease, publishPrepared } from "./publish.ts";
import type { ReleaseRecord } from "./release-record.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { releaseFolder, requestFor } from "./releases.fixture.ts";
import { runLine } from "./shell-lines.ts";
import { treeDiff } from "./tree-diff.ts";

const once = { dryRun: false, now: 5000 };
const words = { subject: undefined, body: "", timestamp: 3000 };

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function releasesIn({ archive }: ReleaseWriter): Promise<ReleaseRecord[]> {
  return gather(allReleases(archive));
}

describe("releases", () => {
  it("stand on each other, with all that was said of them", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const words = { version: "1", title: "OS", metadata: { colour: "red" } };
      await createRelease(writer, requestFor({ a: "1" }, words), once);
      await createRelease(writer, requestFor({ a: "2" }, { version: "2", subject: "Second", timestamp: 2000 }), once);
      const [second, first] = await releasesIn(writer);
      assert.ok(first && second);
      assert.deepEqual([first.version, first.title, first.subject, first.parent], ["1", "OS", "OS 1", undefined]);
      assert.deepEqual([second.version, second.subject, second.parent], ["2", "Second", first.commit]);
      const commit = await writer.archive.commit(first.commit);
      assert.deepEqual(
        commit?.metadata.map(([key]) => key),
        ["version", "ostree.source-title", "stillage.manifest.sha256", "colour", "ostree.ref-binding"],
      );
      assert.deepEqual(commit?.metadata.at(-1)?.[1], { type: "as", value: ["main"] });
      const manifest = JSON.parse(
        await readFile(join(repository.layout.release(first.commit), "manifest.json"), "utf8"),
      );
      assert.deepEqual(manifest.content, { checksum: first.contentChecksum, files: 1, bytes: 1 });
      assert.deepEqual(await readdir(repository.layout.prepared), []);
      assert.match(await readFile(repository.layout.page, "utf8"), new RegExp(second.commit));
    });
    assert.deepEqual(
      folder.warnings.map((each) => each.slice(0, 25)),
      Array(2).fill("nobody signs this release"),
    );
  });

  it("of the same content are no new ones; a version is of one content", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const first = await createRelease(writer, requestFor({ a: "1" }, { version: "1" }), once);
      const again = await createRelease(writer, requestFor({ a: "1" }, { version: "1", timestamp: 9000 }), once);
      assert.deepEqual([again.commits, again.unchanged[0]?.commit], [[], first.commits[0]?.commit]);
      const other = requestFor({ a: "2" }, { version: "1" });
      await assert.rejects(createRelease(writer, other, once), {
        code: "exists",
        message: /has the version 1 already/,
      });
      const later = await createRelease(writer, requestFor({ a: "1" }, { version: "2" }), once);
      assert.equal(later.commits.length, 1);
      // Also a version that is not the newest.
      await assert.rejects(createRelease(writer, other, once), { code: "exists" });
      await createRelease(writer, { ...other, force: true }, once);
      assert.equal((await releasesIn(writer)).length, 3);
    });
  });

  it("on several branches are there on all or on none", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const both = { branches: ["a/x", "b"] };
      const { commits } = await createRelease(writer, requestFor({ f: "1" }, both), once);
      assert.equal(new Set(commits.map(({ commit }) => commit)).size, 2);
      await createRelease(writer, requestFor({ f: "2" }, { branches: ["b"] }), once);
      const mixed = await createRelease(writer, requestFor({ f: "1" }, both), once);
      assert.deepEqual([mixed.commits.map(({ branch }) => branch), mixed.unchanged.length], [["b"], 1]);
      // "a" cannot be beside "a/x": neither is made.
      const impossible = requestFor({ f: "3" }, { branches: ["a", "c"] });
      await assert.rejects(createRelease(writer, impossible, once), { code: "failed-precondition" });
      assert.deepEqual([...(await writer.archive.refs()).keys()], ["a/x", "b"]);
      assert.deepEqual(await listPrepared(repository.layout), []);
    });
  });

  it("are not written in a dry run", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const { commits, prepared } = await createRelease(writer, requestFor({ a: "1" }), { ...once, dryRun: true });
      assert.deepEqual([commits.length, prepared], [1, undefined]);
      assert.deepEqual([await releasesIn(writer), await readdir(join(repository.layout.archive, "objects"))], [[], []]);
    });
  });

  it("are not published where a check refuses, which sees them", async () => {
    await using folder = await releaseFolder();
    const line = `cat "$STILLAGE_MANIFEST" >../seen; cat >>../seen; test -f "$STILLAGE_OSTREE_REPO/config"; echo no "$STILLAGE_BRANCH"; exit 3`;
    const repository = await folder.init("os", { checks: ["true", line] });
    await folder.write(repository, async (writer) => {
      await assert.rejects(createRelease(writer, requestFor({ a: "1" }, { version: "7" }), once), {
        code: "failed-precondition",
        message: /ended with 3; nothing was published/,
        hint: "no main",
      });
      assert.deepEqual([await releasesIn(writer), await listPrepared(repository.layout)], [[], []]);
    });
    const seen = await readFile(join(folder.path, "seen"), "utf8");
    const [manifest = "", event = ""] = seen.split("\n");
    assert.equal(JSON.parse(manifest).version, "7");
    const { event: name, releases } = JSON.parse(event);
    assert.deepEqual([name, releases[0].branch, releases[0].version], ["release.check", "main", "7"]);
  });

  it("stand where a hook fails, and a check that takes too long is ended with all that it began", async () => {
    await using folder = await releaseFolder();
    const hooked = await folder.init("hooked", { hooks: ["echo $STILLAGE_EVENT $STILLAGE_COMMIT; exit 1"] });
    const { commits } = await folder.write(hooked, (writer) => createRelease(writer, requestFor({ a: "1" }), once));
    const expected = new RegExp(`the release stands, but .*: release.published ${commits[0]?.commit}$`);
    assert.match(folder.warnings.join(), expected);
    const slow = await folder.init("slow", { checks: ["sleep 9 &", "sleep 600 & wait"], "command-timeout": "100ms" });
    const late = folder.write(slow, (writer) => createRelease(writer, requestFor({ a: "1" }), once));
    await assert.rejects(late, { message: /took longer than 0\.1 s and was ended/ });
    // What ignores that it is told to end is ended all the same.
    const deaf = "(trap '' TERM; while :; do sleep 1; done) & echo $!; wait";
    const ending = { directory: folder.path, environment: {}, input: "", timeoutMs: 100, endMs: 100 };
    const { output, failure } = await runLine(deaf, ending);
    assert.match(failure ?? "", /was ended/);
    const stat = await readFile(`/proc/${Number(output.split("\n").at(-1))}/stat`, "utf8").catch(() => ") Z");
    assert.match(stat, /\) Z/);
  });

  it("are prepared, kept, and published later, unless the branch has moved", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    const [first, second] = await folder.write(repository, async (writer) => [
      await prepareRelease(writer, requestFor({ a: "1" }), { ...once, keep: true }),
      await prepareRelease(writer, requestFor({ a: "2" }), { ...once, keep: true }),
    ]);
    assert.deepEqual(await listPrepared(repository.layout), [first?.prepared?.id, second?.prepared?.id].sort());
    await folder.write(repository, async (writer) => {
      assert.deepEqual(await releasesIn(writer), []);
      await publishPrepared(writer, await readPrepared(repository.layout, first?.prepared?.id ?? ""));
      assert.equal((await releasesIn(writer)).length, 1);
      const [once] = await releasesIn(writer);
      // Whoever was killed after the branch had moved does it again.
      const again = await prepareRelease(writer, requestFor({ a: "3" }), { dryRun: false, now: 0, keep: true });
      assert.ok(once && again.prepared);
      const change = await writer.archive.begin();
      change.setRef("main", again.prepared.commits[0]?.commit);
      await change.publish();
      await publishPrepared(writer, again.prepared);
      assert.equal((await releasesIn(writer)).length, 2);
      const other = await readPrepared(repository.layout, second?.prepared?.id.slice(0, 8) ?? "");
      await assert.rejects(publishPrepared(writer, other), { code: "failed-precondition", message: /has moved/ });
      await assert.rejects(readPrepared(repository.layout, "0"), { code: "not-found" });
    });
  });

  it("are brought back with all that they had, and end", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    const bytes = Buffer.from("x");
    const sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    const attachment: Attachment = { name: "x.txt", kind: "file", mediaType: "text/plain", sha256, size: 1, bytes };
    await folder.write(repository, async (writer) => {
      const make = async (content: string, version: string) =>
        createRelease(writer, requestFor({ a: content }, { version, attachments: [attachment] }), once);
      const publish = async (derivation: Parameters<typeof prepareDerived>[1]) =>
        publishPrepared(writer, await prepareDerived(writer, derivation, { keep: false, now: 0 }));
      for (const version of ["1", "2", "3"]) await make(version, version);
      await assert.rejects(rollbackOf(writer, "main", "3", words), { code: "exists" });
      await assert.rejects(rollbackOf(writer, "nain", undefined, words), {
        code: "not-found",
        hint: "did you mean main?",
      });
      await publish(await rollbackOf(writer, "main", undefined, words));
      await publish(await rollbackOf(writer, "main", undefined, words));
      const [head, before, third, second, first] = await releasesIn(writer);
      assert.deepEqual([before?.rollbackOf, before?.contentChecksum], [second?.commit, second?.contentChecksum]);
      assert.deepEqual([head?.rollbackOf, head?.manifest, head?.version], [first?.commit, first?.manifest, "1"]);
      assert.deepEqual([head?.subject, third?.version], ["Roll back to 1", "3"]);
      assert.ok(existsSync(join(repository.layout.release(head?.commit ?? ""), "x.txt")));
      await assert.rejects(rollbackOf(writer, "main", undefined, words), { code: "not-found", message: /before 1/ });
      // The same content again is what the branch has.
      assert.equal((await make("1", "1")).commits.length, 0);

      const end = { message: "Use next", rebase: "next" };
      await assert.rejects(endOfLifeOf(writer, "main", end, words), { code: "not-found", message: /next/ });
      await assert.rejects(endOfLifeOf(writer, "main", { ...end, rebase: "main" }, words), { message: /ends, too/ });
      await createRelease(writer, requestFor({ a: "n" }, { branches: ["next"] }), once);
      await publish(await endOfLifeOf(writer, "main", end, words));
      const ended = await releaseMeant(writer.archive, "main");
      assert.deepEqual([ended.endOfLife, ended.endOfLifeRebase, ended.version], ["Use next", "next", "1"]);
      await assert.rejects(endOfLifeOf(writer, "main", end, words), { code: "exists" });
      assert.equal((await make("1", "1")).commits.length, 1);
      assert.equal((await releaseMeant(writer.archive, "main")).endOfLife, undefined);
    });
    assert.ok(folder.warnings.every((each) => each.startsWith("nobody signs")));
  });

  it("differ by their files", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      await createRelease(
        writer,
        requestFor({ a: "1", d: { x: "1", y: "2" }, gone: { f: "" } }, { version: "1" }),
        once,
      );
      await createRelease(
        writer,
        requestFor({ a: "2", d: { x: "1", y: "3" }, z: { new: { f: "" } } }, { version: "2" }),
        once,
      );
      const { archive } = writer;
      const [from, to] = await Promise.all(
        ["1", "2"].map(async (version) => archive.commit((await releaseMeant(archive, `main@${version}`)).commit)),
      );
      assert.ok(from && to);
      const changes = (await gather(treeDiff(archive, from, to))).map(({ path, change }) => `${change} ${path}`);
      assert.deepEqual(changes, [
        "modified /a",
        "modified /d/y",
        ...["removed /gone/", "removed /gone/f", "added /z/", "added /z/new/", "added /z/new/f"],
      ]);
      assert.deepEqual(await gather(treeDiff(archive, to, to)), []);
    });
  });

  it("have a page again after a process was killed before it", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, (writer) => createRelease(writer, requestFor({ a: "1" }), once));
    const page = await readFile(repository.layout.page, "utf8");
    await writeFile(repository.layout.page, "old");
    await writeFile(join(repository.layout.directory, "unfinished"), "");
    await writeFile(join(repository.layout.prepared, ".half"), "");
    await folder.write(repository, async ({ archive }) => {
      assert.equal(await readFile(repository.layout.page, "utf8"), page);
      assert.deepEqual(await readdir(repository.layout.prepared), []);
      assert.deepEqual((await fsckRepository(archive)).problems, []);
    });
  });

  it("of a version that the branch had before do not move it back", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const make = async (version: string, force = false) =>
        createRelease(writer, requestFor({ a: version }, { version, force }), once);
      for (const version of ["1", "2"]) await make(version);
      await assert.rejects(make("1"), { code: "exists", hint: /release rollback main --to/ });
      assert.equal((await make("2")).commits.length, 0);
      assert.equal((await make("1", true)).commits.length, 1);
    });
  });

  it("are not brought back without the manifest that they name", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      for (const content of ["1", "2"]) await createRelease(writer, requestFor({ a: content }), once);
      const [head, first] = await releasesIn(writer);
      await rm(join(repository.layout.release(first?.commit ?? ""), "manifest.json"));
      const derivation = await rollbackOf(writer, "main", undefined, words);
      await assert.rejects(prepareDerived(writer, derivation, { keep: false, now: 0 }), { code: "corrupt" });
      assert.equal(await writer.archive.ref("main"), head?.commit);
    });
  });

  it("can be made where the page cannot", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await mkdir(repository.layout.keys, { recursive: true });
    await writeFile(join(repository.layout.keys, "zzz.ed25519"), "no key");
    await writeFile(join(repository.layout.directory, "unfinished"), "");
    await folder.write(repository, async () => {});
    assert.match(folder.warnings.join(), /zzz.ed25519/);
    await rm(join(repository.layout.keys, "zzz.ed25519"));
    await folder.write(repository, async () => {});
    assert.ok(!existsSync(join(repository.layout.directory, "unfinished")));
  });

  it("are written by one process at a time", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async () => {
      const { lockRepository } = await import("./repository-lock.ts");
      await assert.rejects(lockRepository(repository, { waitMs: 0 }), { code: "unavailable" });
    });
  });
});
