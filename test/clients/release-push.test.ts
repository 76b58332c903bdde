import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { programFile } from "../support/program-file.ts";
import { installed } from "./support/checkout.ts";
import { OstreeRepository } from "./support/ostree-repository.ts";
import { type ProgramResult, runOk, runProgram } from "./support/program.ts";
import { openReleaseHost, type ReleaseHost } from "./support/release-host.ts";
import { type Sshd, startSshd } from "./support/sshd.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

describe("release publish --push", () => {
  let workspace: Workspace;
  let releases: string;
  let env: NodeJS.ProcessEnv;

  const stillage = (...words: string[]): Promise<ProgramResult> =>
    runProgram(process.execPath, [programFile("stillage"), "release", ...words, "--releases", releases], { env });

  async function ok(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await stillage(...words);
    assert.equal(status, 0, stdout + stderr);
    return stdout;
  }

  async function create(branch: string, version: string, content: string): Promise<void> {
    const tree = await workspace.folder("tree");
    await writeFile(join(tree, "content"), content);
    await ok("create", "--tree", tree, "--branch", branch, "--version", version, "--timestamp", `170000000${version}`);
  }

  before(async () => {
    workspace = await createWorkspace();
    releases = join(await workspace.folder("own"), "releases");
    env = process.env;
    await ok("init", "os");
    await create("stable", "1", "one");
    await create("beta", "2", "two");
  });
  after(() => workspace?.[Symbol.asyncDispose]());

  /** No connection, socket or server is left behind. */
  async function assertClean(): Promise<void> {
    assert.deepEqual(
      (await readdir(tmpdir())).filter((name) => name.startsWith("stillage-ssh-")),
      [],
    );
  }

  describe("to Debian's ostree-receive", () => {
    let sshd: Sshd;
    let foreign: OstreeRepository;

    before(async () => {
      await installed("/usr/bin/ostree-receive", "ostree-push.sh");
      const folder = await workspace.folder("foreign");
      foreign = await OstreeRepository.init(join(folder, "their repo"));
      const options = `restrict,port-forwarding,permitlisten="localhost:*",command="cd '${folder}' && eval $SSH_ORIGINAL_COMMAND"`;
      sshd = await startSshd(await workspace.folder("sshd"), { keys: [{ name: "ci", options }] });
      env = { ...process.env, PATH: `${sshd.bin}:${process.env.PATH}` };
    });
    after(() => sshd?.[Symbol.asyncDispose]());

    test("all branches, or those that are named, and what it says", async () => {
      const own = OstreeRepository.at(join(releases, "os/public/repo"));
      const dry = await stillage("publish", "--push", "ci:their repo", "--dry-run");
      assert.equal(dry.status, 0, dry.stderr);
      assert.equal(await foreign.refs(), "");
      const { status, stderr } = await stillage("publish", "--push", "ci:their repo", "--branch", "stable");
      assert.equal(status, 0, stderr);
      assert.match(stderr, /INFO:otpush\.receive: stable [0-9a-f]{64}/);
      assert.equal(await foreign.refs(), `stable ${await own.head("stable")}`);
      await ok("publish", "--push", `ssh://ci${foreign.path}`);
      assert.equal(await foreign.refs(), await own.refs());
      await foreign.ok("fsck");
      await create("stable", "3", "three");
      await ok("publish", "--push", "ci:their repo");
      assert.match(await foreign.ok("show", "stable"), /Version: 3/);
      await assertClean();
    });

    test("what goes wrong at the other end is its exit status, and nothing is left here", async () => {
      const { status, stderr } = await stillage("publish", "--push", "ci:nothing");
      assert.equal(status, 1);
      assert.match(stderr, /nothing/);
      assert.equal((await stillage("publish", "--push", "nobody@ci:their repo")).status, 1);
      const none = await stillage("publish", "--push", "ci:their repo", "--branch", "alpha");
      assert.equal(none.status, 1);
      assert.match(none.stderr, /alpha/);
      assert.equal((await stillage("publish", "--push", "-oProxyCommand=true:x")).status, 2);
      assert.equal((await stillage("publish", "0123", "--dry-run")).status, 2);
      await assertClean();
    });
  });

  describe("to our own receiver", () => {
    let host: ReleaseHost;

    before(async () => {
      host = await openReleaseHost(workspace);
      env = { ...process.env, PATH: `${host.sshd.bin}:${process.env.PATH}` };
    });
    after(() => host?.[Symbol.asyncDispose]());

    test("releases go from one repository to another, and are listed there", async () => {
      await create("stable", "4", "four");
      await ok("publish", "--push", "ci:os");
      const there = await runOk(process.execPath, [
        ...[programFile("stillage"), "release", "list", "--releases", host.releases],
      ]);
      assert.match(there, /^beta\t2\t[0-9a-f]{64}\t/m);
      assert.match(there, /^stable\t4\t[0-9a-f]{64}\t/m);
      const main = programFile("stillage");
      const verified = await runOk(process.execPath, [main, "release", "verify", "--all", "--releases", host.releases]);
      assert.doesNotMatch(verified, /FAILED/);
      const overSsh = await runOk("ssh", ["ci", "stillage", "release", "show", "stable", "--json"], { env });
      const shown = JSON.parse(overSsh) as { version: string; signers: unknown[] };
      assert.equal(shown.version, "4");
      assert.equal(shown.signers.length, 1);
      await host.repository.ok("fsck");
    });

    test("a branch that is not there is told by the receiver", async () => {
      const words = ["ostree-receive", "os", "http://127.0.0.1:1024", "nothing"];
      const outcome = await runProgram("ssh", ["ci", ...words], { env });
      assert.equal(outcome.status, 1);
      assert.match(outcome.stderr, /stillage: http:\/\/127\.0\.0\.1:1024\/summary: the connection failed/);
    });
  });
});
