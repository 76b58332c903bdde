import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { lockDirectory } from "../../src/store/disk/directory-lock.ts";
import { clientsFolder, installed } from "./support/checkout.ts";
import { OstreeRepository } from "./support/ostree-repository.ts";
import { type ProgramResult, runOk, runProgram } from "./support/program.ts";
import { leftovers, openReleaseHost, type ReleaseHost } from "./support/release-host.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

/** `ostree-push`, by the sshd of the host. */
function environment({ sshd }: ReleaseHost): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${sshd.bin}:${process.env.PATH}` };
}

/** A process that was started as the first of its group, and all that it has started. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {} // nothing is left of it
}

/** Longer than any push waits for another. */
const pushMs = 60_000;

/**
 * Runs `ostree-push`. This version of it sometimes forgets the ssh connection that it has started, which then goes on with its output open: what is left of it when it
 * has ended is ended with it.
 */
async function push(host: ReleaseHost, from: OstreeRepository, ...words: string[]): Promise<ProgramResult> {
  return pushBy("ostree-push", host, from, ...words);
}

async function pushBy(
  program: string,
  host: ReleaseHost,
  from: OstreeRepository,
  ...words: string[]
): Promise<ProgramResult> {
  const child = spawn(program, [`--repo=${from.path}`, ...words], {
    env: environment(host),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const killAll = (): void => killGroup(child.pid as number);
  const timer = setTimeout(killAll, pushMs);
  const [status] = (await once(child, "exit")) as [number | null];
  clearTimeout(timer);
  killAll();
  await closed;
  const [stdout, stderr] = await output;
  return { status, stdout, stderr };
}

async function pushed(host: ReleaseHost, from: OstreeRepository, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await push(host, from, ...words);
  assert.equal(status, 0, stdout + stderr);
  return stderr;
}

/** A stranger pulls a branch with nothing but the public key, from the files as they lie there. */
async function pulledCommit({ repository, trusted }: ReleaseHost, folder: string, branch: string): Promise<string> {
  const client = await OstreeRepository.init(folder, "bare-user");
  await client.ok(
    "remote",
    "add",
    "os",
    `file://${repository.path}`,
    "--gpg-import",
    trusted,
    "--set=gpg-verify-summary=true",
  );
  await client.ok("pull", "os", branch);
  return client.ok("rev-parse", `os:${branch}`);
}

describe("ostree-push 1.0.1 through sshd", () => {
  let workspace: Workspace;
  let host: ReleaseHost;
  let source: OstreeRepository;

  before(async () => {
    await installed("/usr/bin/ostree-push", "ostree-push.sh");
    workspace = await createWorkspace();
    host = await openReleaseHost(workspace, { settings: { hooks: ["env | grep ^OSTREE_RECEIVE_ > hook.log"] } });
    source = await OstreeRepository.init(join(await workspace.folder("source"), "repo"));
  });
  after(async () => {
    await host?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  const here = (branch: string): Promise<string | undefined> => host.repository.head(branch);

  test("a new branch keeps its commit's checksum, signed, for whoever pulls", async () => {
    const commit = await source.commit({ branch: "os/stable", files: { a: "one" }, time: 1_700_000_000 });
    await pushed(host, source, "ci:os", "os/stable");
    assert.equal(await here("os/stable"), commit);
    await host.repository.ok("fsck");
    assert.equal(await pulledCommit(host, join(await workspace.folder("client"), "repo"), "os/stable"), commit);
  });

  test("the next version follows what is here, with its message and metadata", async () => {
    const first = await here("os/stable");
    await source.commit({ branch: "os/stable", files: { a: "two", b: "b" }, time: 1_700_000_100, version: "2" });
    await pushed(host, source, `ssh://ci${host.repository.path}`, "os/stable");
    const head = await here("os/stable");
    const shown = await host.repository.ok("show", "os/stable");
    assert.match(shown, new RegExp(`Parent:  ${first}`));
    assert.match(shown, /Version: 2/);
    assert.match(shown, /os\/stable 2\n\n\s+as built/);
    assert.match(shown, /Found 1 signature/);
    assert.equal(
      await host.repository.ok("show", "--print-metadata-key=ostree.ref-binding", "os/stable"),
      "['os/stable']",
    );
    assert.equal(await host.repository.ok("ls", "os/stable").then((text) => text.split("\n").length), 3);
    const told = await readFile(join(host.releases, "os/hook.log"), "utf8");
    const wanted = [`OSTREE_RECEIVE_REPO=${host.repository.path}`, "OSTREE_RECEIVE_REFS=os/stable"];
    assert.deepEqual(told.trim().split("\n").sort(), wanted.sort());
    await host.repository.ok("fsck");
    assert.equal(await pulledCommit(host, join(await workspace.folder("client"), "repo"), "os/stable"), head);
  });

  test("no branches named are all but those that tools make; what is the same stays", async () => {
    const stable = await here("os/stable");
    for (const branch of ["os/beta", "os/devel", "appstream/x86_64", "ostree-metadata"]) {
      await source.commit({ branch, files: { branch }, time: 1_700_000_200 });
    }
    await pushed(host, source, "ci:os");
    const refs = await host.repository.ok("refs");
    assert.deepEqual(refs.split("\n").sort(), ["os/beta", "os/devel", "os/stable"]);
    assert.equal(await here("os/stable"), stable);
    assert.match(await pushed(host, source, "ci:os", "os/stable", "os/beta"), /there is nothing to publish/);
  });

  test("a key that may publish opens nothing of the host's network", async () => {
    const ssh = ["-N", "-o", "ExitOnForwardFailure=yes", "-o", "LogLevel=INFO", "ci"];
    const folder = await workspace.folder("forwards");
    const to = `127.0.0.1:${host.sshd.port}`;
    for (const words of [
      ["-W", to, ...ssh.slice(1)],
      ["-R", `${folder}/far:${to}`, ...ssh],
    ]) {
      const { status, stderr } = await runProgram("ssh", words, { env: environment(host), input: "" });
      assert.notEqual(status, 0);
      assert.match(stderr, /administratively prohibited|forwarding failed/);
    }
  });

  test("a dry run says what would be done, and does nothing", async () => {
    const before = await host.repository.refs();
    await source.commit({ branch: "os/dry", files: { dry: "run" }, time: 1_700_000_300 });
    const said = await pushed(host, source, "-n", "ci:os", "os/dry");
    assert.match(said, /os\/dry would be at/);
    assert.equal(await host.repository.refs(), before);
    assert.deepEqual(await leftovers(host), []);
  });

  test("an older commit is passed over, unless it is forced", async () => {
    const head = await here("os/beta");
    await source.commit({ branch: "os/beta", files: { older: "yes" }, time: 1_600_000_000 });
    assert.match(await pushed(host, source, "ci:os", "os/beta"), /is not taken: it is not newer than what is here/);
    assert.equal(await here("os/beta"), head);
    await pushed(host, source, "--command", "ostree-receive --force", "ci:os", "os/beta");
    assert.match(await host.repository.ok("show", "os/beta"), new RegExp(`Parent:  ${head}`));
  });

  test("version 1.2.0 asks for ostree-receive-1, and is given the same", async () => {
    const program = await installed(join(clientsFolder, "ostree-push-1.2.0/bin/ostree-push"), "ostree-push.sh");
    const commit = await source.commit({ branch: "os/new", files: { by: "1.2.0" }, time: 1_700_000_350 });
    const { status, stderr } = await pushBy(program, host, source, "-v", "ci:os", "os/new");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Remote command: \['ostree-receive-1', 'os'/);
    assert.doesNotMatch(stderr, /not found on remote host/);
    assert.equal(await here("os/new"), commit);
  });

  test("two that push the same branch at once come one after the other", async () => {
    const others = await Promise.all(
      ["one", "two"].map(async (name) => {
        const repository = await OstreeRepository.init(join(await workspace.folder(name), "repo"));
        await repository.commit({ branch: "os/both", files: { name }, time: 1_700_000_400 });
        return repository;
      }),
    );
    await Promise.all(others.map((each) => pushed(host, each, "--command", "ostree-receive -f", "ci:os", "os/both")));
    const log = await host.repository.ok("log", "os/both");
    assert.equal(log.match(/^commit /gm)?.length, 2, log);
    await host.repository.ok("fsck");
  });

  test("whoever has to wait is told so", async () => {
    const lock = lockDirectory(join(host.releases, "os"));
    await source.commit({ branch: "os/waiting", files: { a: "waited" }, time: 1_700_000_450 });
    const child = spawn("ostree-push", [`--repo=${source.path}`, "ci:os", "os/waiting"], {
      env: environment(host),
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit");
    const lines = createInterface(child.stderr);
    for await (const line of lines) if (/^somebody else is publishing in os: waiting/.test(line)) break;
    child.stderr.resume();
    assert.equal(await here("os/waiting"), undefined);
    lock.release();
    assert.deepEqual(await ended, [0, null]);
    child.stderr.destroy();
    assert.notEqual(await here("os/waiting"), undefined);
  });

  test("whoever goes while he waits has not pushed, and nobody can go on in his place", async () => {
    const lock = lockDirectory(join(host.releases, "os"));
    try {
      await source.commit({ branch: "os/gone", files: { a: "gone" }, time: 1_700_000_470 });
      const child = spawn("ostree-push", [`--repo=${source.path}`, "ci:os", "os/gone"], {
        env: environment(host),
        detached: true,
        stdio: ["ignore", "ignore", "pipe"],
      });
      for await (const line of createInterface(child.stderr)) if (line.startsWith("somebody else is publishing")) break;
      assert.equal((await receivers()).length, 1);
      killGroup(child.pid as number);
      child.stderr.destroy();
      while ((await receivers()).length > 0) await delay(50);
    } finally {
      lock.release();
    }
    assert.equal(await here("os/gone"), undefined);
    assert.deepEqual(await leftovers(host), []);
  });

  test("who takes his time keeps nobody else from publishing", async () => {
    const slow = await OstreeRepository.init(join(await workspace.folder("slow"), "repo"));
    await slow.commit({ branch: "os/slow", files: { slow: "slow" }, time: 1_700_000_480 });
    const [, , , , checksum = ""] = (await slow.ok("ls", "-C", "os/slow", "/slow")).split(/\s+/);
    const object = join(slow.path, "objects", checksum.slice(0, 2), `${checksum.slice(2)}.filez`);
    await rename(object, `${object}.kept`);
    // Nobody writes to it: whoever asks for it waits.
    await runOk("mkfifo", [object]);
    const pushing = push(host, slow, "ci:os", "os/slow");
    while (!(await staged()).some((name) => name.endsWith(".dirtree"))) await delay(20);
    const commit = await source.commit({ branch: "os/quick", files: { a: "quick" }, time: 1_700_000_490 });
    await pushed(host, source, "ci:os", "os/quick");
    assert.equal(await here("os/quick"), commit);
    // He gets an end of nothing, and his push does.
    await (await open(object, "w")).close();
    assert.notEqual((await pushing).status, 0);
    await rename(`${object}.kept`, object);
    await pushed(host, slow, "ci:os", "os/slow");
    await host.repository.ok("fsck");
  });

  /** The names of all files that are not yet, or not any more, part of the repository. */
  async function staged(): Promise<string[]> {
    const all = await readdir(join(host.repository.path, "tmp"), { recursive: true }).catch(() => []);
    return all.map((path) => basename(path));
  }

  /** The checksum of a file's object. */
  async function objectOf(branch: string, path: string): Promise<string> {
    return (await source.ok("ls", "-C", branch, path)).split(/\s+/)[4] ?? "";
  }

  /** The processes that serve sessions of the host. */
  async function receivers(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir("/proc")) {
      const words = /^\d+$/.test(name) ? await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "") : "";
      if (words.startsWith(process.execPath) && words.includes(`\0${host.releases}\0`)) found.push(Number(name));
    }
    return found;
  }

  for (const victim of ["pusher", "receiver"]) {
    test(`a push whose ${victim} is killed half-way leaves nothing, and the next one is as if it had not been`, async () => {
      const before = await host.repository.refs();
      const branch = `os/killed-${victim}`;
      const files = { small: victim, large: randomBytes(300_000) };
      const commit = await source.commit({ branch, files, time: 1_700_000_500 });
      const [small, large] = [await objectOf(branch, "/small"), await objectOf(branch, "/large")];
      const object = join(source.path, "objects", large.slice(0, 2), `${large.slice(2)}.filez`);
      // In place of the object a pipe that nobody writes to: whoever asks for it waits for ever, and all else comes.
      await rename(object, `${object}.kept`);
      await runOk("mkfifo", [object]);
      const child = spawn("ostree-push", [`--repo=${source.path}`, "ci:os", branch], {
        env: environment(host),
        detached: true,
        stdio: "ignore",
      });
      const ended = once(child, "exit");
      while (!(await staged()).includes(`${small}.filez`)) await delay(20);
      const ours = await receivers();
      assert.equal(ours.length, 1);
      if (victim === "receiver") {
        process.kill(ours[0] as number, "SIGKILL");
        assert.notEqual((await ended)[0], 0);
      }
      killGroup(child.pid as number);
      await ended;
      await rm(object);
      await rename(`${object}.kept`, object);
      assert.equal(await host.repository.refs(), before);
      await pushed(host, source, "ci:os", branch);
      assert.equal(await here(branch), commit);
      assert.deepEqual(await leftovers(host), []);
      await host.repository.ok("fsck");
    });
  }

  test("what is damaged on the way changes nothing", async () => {
    const before = await host.repository.refs();
    await source.commit({ branch: "os/damaged", files: { damaged: "content" }, time: 1_700_000_600 });
    const name = await objectOf("os/damaged", "/damaged");
    const file = await open(join(source.path, "objects", name.slice(0, 2), `${name.slice(2)}.filez`), "r+");
    await file.write(Buffer.from([0xff]), 0, 1, (await file.stat()).size - 2);
    await file.close();
    const { status, stderr } = await push(host, source, "ci:os", "os/damaged");
    assert.notEqual(status, 0);
    assert.match(stderr, new RegExp(`stillage: the file ${name}: `));
    assert.equal(await host.repository.refs(), before);
    assert.deepEqual(await leftovers(host), []);
  });

  test("a repository that is not there, and a login without a command", async () => {
    const { status, stderr } = await push(host, source, "ci:../os", "os/stable");
    assert.notEqual(status, 0);
    assert.match(stderr, /stillage: there is no release repository "\.\.\/os"/);
    const ssh = (...words: string[]) => runProgram("ssh", ["ci", ...words], { env: environment(host) });
    const commands = [[], ["sh"], ["ostree-receive", "os", "http://example.com/"], ["ostree-receive", "--repo=os"]];
    const outcomes = commands.map(async (words) => {
      const outcome = await ssh(...words);
      assert.equal(outcome.status, 1, outcome.stderr);
      assert.match(outcome.stderr, /^stillage: /);
    });
    await Promise.all(outcomes);
    assert.equal((await ssh("ostree-receive-2", "os", "http://127.0.0.1:4000")).status, 127);
  });
});

describe("ostree-push and checks", () => {
  test("what a check refuses is not in the repository", async () => {
    await using workspace = await createWorkspace();
    await using host = await openReleaseHost(workspace, { settings: { checks: ["false"] } });
    const source = await OstreeRepository.init(join(await workspace.folder("source"), "repo"));
    await source.commit({ branch: "os/refused", files: { refused: "content" }, time: 1_700_000_000 });
    const { status, stderr } = await push(host, source, "ci:os", "os/refused");
    assert.notEqual(status, 0);
    assert.match(stderr, /the check `false` ended with 1/);
    const objects = await readdir(join(host.repository.path, "objects"), { recursive: true, withFileTypes: true });
    assert.deepEqual(
      objects.filter((each) => each.isFile()).map(({ name }) => name),
      [],
    );
  });
});

describe("ostree-push and rights", () => {
  const access = `rights:
- { who: { ssh: ci }, may: release, repositories: os, branches: os/stable/* }
`;

  test("branches that somebody may not publish on are refused before anything is pulled", async () => {
    await using workspace = await createWorkspace();
    await using host = await openReleaseHost(workspace, { access });
    const source = await OstreeRepository.init(join(await workspace.folder("source"), "repo"));
    for (const branch of ["os/stable/a", "os/devel/a"]) {
      await source.commit({ branch, files: { branch }, time: 1_700_000_000 });
    }
    for (const words of [["ci:os", "os/stable/a", "os/devel/a"], ["ci:os"]]) {
      const { status, stderr } = await push(host, source, ...words);
      assert.notEqual(status, 0);
      assert.match(stderr, /stillage: ci may not release on "os\/devel\/a" in os; nothing was published/);
    }
    const { stderr } = await push(host, source, "guest:os", "os/stable/a");
    assert.match(stderr, /stillage: guest may not release in os/);
    assert.equal(await host.repository.refs(), "");
    await pushed(host, source, "ci:os", "os/stable/a");
    assert.equal(await host.repository.ok("refs"), "os/stable/a");
  });
});
