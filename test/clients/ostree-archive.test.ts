import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ArchiveRepository } from "../../src/ostree/archive/archive-repository.ts";
import { directorySource } from "../../src/ostree/archive/directory-source.ts";
import { fsckRepository } from "../../src/ostree/archive/fsck-repository.ts";
import { httpSource } from "../../src/ostree/archive/http-source.ts";
import { mirrorRepository } from "../../src/ostree/archive/mirror-repository.ts";
import { pruneRepository } from "../../src/ostree/archive/prune-repository.ts";
import { pullCommits } from "../../src/ostree/archive/pull.ts";
import { makeRepository } from "../fault/archive-change.ts";
import { makeCertificates } from "./support/certificates.ts";
import { commitDirectory, contentOf, oddTree, ostree, realFsck } from "./support/ostree.ts";
import { servePlainFiles } from "./support/plain-files.ts";
import { runOk, runProgram } from "./support/program.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

const canonical = ["--canonical-permissions", "--no-bindings", "--timestamp=@1577934245", "-s", "subject"];

describe("archive repositories and the real ostree", { concurrency: 2 }, () => {
  let workspace: Workspace;
  let tree: string;

  before(async () => {
    workspace = await createWorkspace();
    tree = await workspace.folder("tree");
    await oddTree(tree);
  });
  after(() => workspace[Symbol.asyncDispose]());

  /** A repository of the real program's, with two refs and an alias. */
  const realRepository = async (): Promise<string> => {
    const real = await workspace.folder("real");
    await ostree(real, "init", "--mode=archive");
    await ostree(real, "commit", "-b", "team/odd", ...canonical, tree);
    await ostree(
      real,
      "commit",
      "-b",
      "other",
      "--owner-uid=1000",
      "--owner-gid=100",
      "-s",
      "more",
      join(tree, "deep"),
    );
    await ostree(real, "refs", "--alias", "--create=stable", "team/odd");
    await ostree(real, "summary", "-u");
    return real;
  };
  const ownRepository = async (): Promise<ArchiveRepository> => ArchiveRepository.init(await workspace.folder("own"));

  test("a commit is the same as the real one's, with canonical permissions and with those on the disk", async () => {
    const [real, own] = [await realRepository(), await ownRepository()];
    const { commit, contentChecksum } = await commitDirectory(own, "team/odd", tree);
    assert.equal(commit, (await ostree(real, "rev-parse", "team/odd")).trim());
    assert.equal(contentChecksum, await contentOf(real, "team/odd"));
    await ostree(real, "commit", "-b", "kept", "--no-xattrs", ...canonical.slice(1), tree);
    const kept = await commitDirectory(own, "kept", tree, { canonical: false });
    assert.equal(kept.commit, (await ostree(real, "rev-parse", "kept")).trim());
    const again = await commitDirectory(own, "kept", tree, { canonical: false });
    assert.equal(again.contentChecksum, kept.contentChecksum);
    const children = (await readdir(own.directory)).sort();
    assert.deepEqual(
      children.filter((name) => !name.startsWith(".")),
      ["config", "extensions", "objects", "refs", "state", "summary", "tmp"],
    );
    assert.deepEqual(await readdir(join(own.directory, "tmp")), ["cache"]);
  });

  test("the real program reads, checks, checks out and pulls what we wrote, also over HTTP", async () => {
    const own = await ownRepository();
    const { commit } = await commitDirectory(own, "team/odd", tree);
    await commitDirectory(own, "second", join(tree, "deep"));
    await realFsck(own.directory);
    const listing = await ostree(own.directory, "ls", "-R", "team/odd");
    assert.match(listing, /^-00755 0 0 +\d+ \/deep\/er\/mode-4755$/m);
    assert.match(listing, /^l00777 0 0 +0 \/dangling -> nowhere\/at\/all$/m);
    assert.equal(listing.split("\n").filter((line) => line.includes("/wide/")).length, 2000);
    const out = join(await workspace.folder("checkout"), "out");
    await ostree(own.directory, "checkout", "-U", "team/odd", out);
    await runOk("diff", ["-r", "--no-dereference", tree, out]);

    await using web = await servePlainFiles(own.directory);
    const client = await workspace.folder("client");
    await ostree(client, "init", "--mode=bare-user");
    await ostree(client, "remote", "add", "--no-gpg-verify", "web", web.url);
    const listed = (await ostree(client, "remote", "refs", "web")).trim().split("\n");
    assert.deepEqual(listed.sort(), ["web:second", "web:team/odd"]);
    assert.match(await ostree(client, "remote", "summary", "web"), /\* team\/odd\n +Latest Commit \(\d+ bytes\)/);
    await ostree(client, "pull", "web", "team/odd");
    assert.equal((await ostree(client, "rev-parse", "web:team/odd")).trim(), commit);
    await realFsck(client);
    const mirror = await workspace.folder("mirror");
    await ostree(mirror, "init", "--mode=archive");
    await ostree(mirror, "remote", "add", "--no-gpg-verify", "web", web.url);
    await ostree(mirror, "pull", "--mirror", "web");
    assert.deepEqual((await ostree(mirror, "refs")).trim().split("\n").sort(), ["second", "team/odd"]);
    await realFsck(mirror);
    assert.match(await ostree(own.directory, "summary", "-v"), /Repository Mode .*archive-z2/);
    assert.match(await ostree(own.directory, "prune", "--refs-only"), /Deleted 0 objects|No unreachable objects/);
    assert.equal((await fsckRepository(await ArchiveRepository.open(mirror))).problemCount, 0);
  });

  test("what the real program wrote is read, checked, pulled, mirrored and pruned", async () => {
    const real = await realRepository();
    const there = await ArchiveRepository.open(real);
    const refs = await there.refs();
    assert.deepEqual([...refs.keys()], ["other", "stable", "team/odd"]);
    assert.equal(refs.get("stable")?.aliasOf, "team/odd");
    const report = await fsckRepository(there);
    assert.deepEqual([report.problems, report.commits, report.refs, report.loose], [[], 2, 3, 0]);

    const { server: own } = await makeCertificates(await workspace.folder("certificates"));
    const [key, cert] = [await readFile(own.key, "utf8"), await readFile(own.certificate, "utf8")];
    await using web = await servePlainFiles(real, { key, cert });
    await assert.rejects(httpSource(web.url).get("config", 1000), { code: "forbidden" });
    for (const source of [directorySource(real), httpSource(web.url, { authorities: cert })]) {
      const own = await ownRepository();
      await using change = await own.begin();
      const commit = refs.get("team/odd")?.commit ?? "";
      const pulled = await pullCommits(change, source, [commit]);
      change.setRef("mine/odd", commit);
      await change.publish();
      assert.deepEqual([pulled.commits, pulled.objects], [1, (await objectsOf(own.directory)).length]);
      await realFsck(own.directory);
      const mirrored = await mirrorRepository(own, source, { remove: true });
      assert.deepEqual([mirrored.changedRefs, mirrored.pruned?.removedCommits], [4, 0]);
      await realFsck(own.directory);
      assert.deepEqual(await readFile(join(own.directory, "summary")), await readFile(join(real, "summary")));
      assert.deepEqual([...(await own.refs()).keys()], ["other", "stable", "team/odd"]);
      const same = await mirrorRepository(own, source, { remove: true });
      assert.deepEqual([same.changedRefs, same.pulled.objects, same.pruned?.removedObjects], [0, 0, 0]);
    }
  });

  test("pruning keeps what the real program would, and no commit without its own", async () => {
    const own = await ownRepository();
    const folder = await workspace.folder("history");
    const commits: string[] = [];
    for (let i = 0; i < 4; i++) {
      await writeFile(join(folder, `file-${i}`), `content ${i}`);
      await rm(join(folder, `file-${i - 1}`), { force: true });
      commits.push((await commitDirectory(own, "line", folder, { timestamp: 1000 + i, subject: `${i}` })).commit);
    }
    const copy = join(await workspace.folder("copy"), "repo");
    await runOk("cp", ["-a", own.directory, copy]);
    await ostree(copy, "prune", "--refs-only", "--depth=1");
    assert.equal((await pruneRepository(own, { keep: { depth: 1 }, dryRun: true })).removedCommits, 2);
    const pruned = await pruneRepository(own, { keep: { depth: 1 } });
    assert.deepEqual([pruned.keptCommits, pruned.removedCommits, pruned.removedObjects], [2, 2, 6]);
    assert.deepEqual(await objectsOf(own.directory), await objectsOf(copy));
    await realFsck(own.directory);
    const young = await pruneRepository(own, { keep: { depth: 0, youngerThan: 1002, commits: [commits[2] ?? ""] } });
    assert.equal(young.removedCommits, 0);
    assert.equal((await pruneRepository(own, { keep: { depth: 0 } })).removedCommits, 1);
    await realFsck(own.directory);
  });

  test("we and the real program do not write at the same time", async () => {
    const own = await ownRepository();
    await commitDirectory(own, "line", join(tree, "deep"));
    await runOk("ostree", ["config", `--repo=${own.directory}`, "set", "core.lock-timeout-secs", "0"]);
    const change = await own.begin();
    for (const words of [["prune"], ["commit", "-b", "other", join(tree, "deep")]]) {
      const [command = "", ...rest] = words;
      const { status, stderr } = await runProgram("ostree", [command, `--repo=${own.directory}`, ...rest]);
      assert.notEqual(status, 0);
      assert.match(stderr, /[Ll]ock/);
    }
    await assert.rejects(own.begin({ patienceMs: 0 }), { code: "unavailable" });
    await change.abort();
    await ostree(own.directory, "prune");
  });

  test("the summary is not older than its directory, for ostree-push", async () => {
    const own = await ownRepository();
    await commitDirectory(own, "line", join(tree, "deep"));
    const [directory, summary] = [await stat(own.directory), await stat(join(own.directory, "summary"))];
    assert.equal(directory.mtimeMs, summary.mtimeMs);
    await utimes(own.directory, 1, 1);
    await using change = await own.begin();
    change.setRef("another", await own.ref("line"));
    await change.publish();
    assert.equal((await stat(own.directory)).mtimeMs, (await stat(join(own.directory, "summary"))).mtimeMs);
  });

  test("a change that is killed leaves a repository with which the real program is content", async () => {
    const start = await workspace.folder("start");
    await makeRepository(start);
    const writer = join(import.meta.dirname, "../fault/archive-writer.ts");
    const run = async (step: number): Promise<{ path: string; steps: number }> => {
      const path = join(await workspace.folder("killed"), "repo");
      await cp(start, path, { recursive: true });
      const { stdout } = spawnSync(process.execPath, [writer, path, `${step}`], { encoding: "utf8" });
      return { path, steps: Number(stdout) };
    };
    const { steps } = await run(-1);
    for (const moment of [0.2, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]) {
      const { path, steps: reached } = await run(Math.floor(moment * steps));
      assert.equal(reached, 0, "it was killed");
      await realFsck(path);
      for (const ref of (await ostree(path, "refs")).trim().split("\n")) await ostree(path, "ls", "-R", ref);
    }
  });

  test("names and files that ostree refuses are refused", async () => {
    const own = await ownRepository();
    const folder = await workspace.folder("refused");
    const refused = async (make: () => Promise<unknown>, message: RegExp, byBoth = true): Promise<void> => {
      const inside = join(folder, "d");
      await mkdir(inside);
      await make();
      await assert.rejects(commitDirectory(own, "line", folder), { code: "invalid", message });
      if (byBoth) {
        const { status } = await runProgram("ostree", ["commit", `--repo=${own.directory}`, "-b", "line", folder]);
        assert.notEqual(status, 0);
      }
      await rm(inside, { recursive: true });
    };
    const inside = join(folder, "d");
    await refused(() => runOk("mkfifo", [join(inside, "pipe")]), /neither a file/);
    await refused(() => writeFile(Buffer.concat([Buffer.from(`${inside}/`), Buffer.from([0xff])]), ""), /not UTF-8/);
    await refused(() => symlink(Buffer.from([0xfe]), join(inside, "link")), /not UTF-8/, false);
    assert.equal(await own.ref("line"), undefined);
    const left = await readdir(join(own.directory, "tmp"));
    assert.deepEqual(
      left.filter((name) => name.startsWith("stillage-")),
      [],
    );
  });
});

async function objectsOf(repository: string): Promise<string[]> {
  return (await readdir(join(repository, "objects"), { recursive: true })).filter((name) => name.includes(".")).sort();
}
