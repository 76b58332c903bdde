import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { programFile } from "../support/program-file.ts";
import { type CachedArtifact, type Files, fillCache } from "./support/cache-with-artifacts.ts";
import { type Folder, newFolder } from "./support/folder.ts";
import { type Outcome, run } from "./support/programs.ts";

const key = (digit: string): string => digit.repeat(64);

/** Enough to take a second. */
function many(): Files {
  const folder = (i: number): Files =>
    Object.fromEntries(Array.from({ length: 100 }, (_, j) => [`file${j}`, `${i} ${j}\n`]));
  return Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`folder${i}`, folder(i)]));
}

const artifacts: readonly CachedArtifact[] = [
  { name: "os/many", key: key("a"), files: many() },
  {
    name: "os/small",
    key: key("b"),
    files: { "\u001b[31mred": "red\n" },
    log: { name: "../../log", text: "built\u001b]0;title\u0007\n" },
  },
];

describe("stillage artifact, on a local cache", () => {
  let folder: Folder;
  const env = () => ({ HOME: folder.path });
  const artifact = (...args: string[]): Promise<Outcome> =>
    run("stillage", ["artifact", ...args], { cwd: folder.path, env: env() });

  before(async () => {
    folder = await newFolder();
    await fillCache(join(folder.path, "cache"), artifacts);
  });
  after(() => folder[Symbol.asyncDispose]());

  /** Begins a checkout, and sends a signal once files are being written. */
  async function interrupted(target: string, signal: NodeJS.Signals): Promise<void> {
    const words = [programFile("stillage"), "artifact", "checkout", "os/many", target, "--in", "cache"];
    const child = spawn(process.execPath, words, {
      cwd: folder.path,
      env: { ...process.env, ...env() },
      stdio: "ignore",
    });
    const ended = once(child, "close");
    while (
      child.exitCode === null &&
      !workOf(target).some((work) => existsSync(join(folder.path, work, "tree/folder1")))
    ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill(signal);
    await ended;
  }
  const workOf = (target: string): string[] =>
    readdirSync(folder.path).filter((name) => name.startsWith(`.${target}.stillage-`));

  test("killed, a checkout leaves nothing under the name of its directory; stopped, nothing at all", async () => {
    await interrupted("killed", "SIGKILL");
    assert.ok(!existsSync(join(folder.path, "killed")));
    assert.equal(statSync(join(folder.path, workOf("killed")[0] ?? "")).mode & 0o777, 0o700);
    await interrupted("stopped", "SIGTERM");
    assert.ok(!existsSync(join(folder.path, "stopped")));
    assert.deepEqual(workOf("stopped"), []);
    assert.equal((await artifact("checkout", "os/many", "killed", "--in", "cache")).status, 0);
    assert.equal(readFileSync(join(folder.path, "killed/folder59/file99"), "utf8"), "59 99\n");
  });

  test("names and logs from outside do nothing: neither to a terminal nor to files", async () => {
    assert.equal((await artifact("list-contents", "os/small", "--in", "cache")).stdout, "\\x1b[31mred\n");
    const log = await artifact("log", "os/small", "--in", "cache");
    assert.equal(log.stdout, "built\u001b]0;title\u0007\n", "in a pipe it is as it was written");
    assert.equal((await artifact("log", "os/small", "--out", "logs", "--in", "cache")).status, 0);
    const [directory = ""] = readdirSync(join(folder.path, "logs"));
    assert.deepEqual(readdirSync(join(folder.path, "logs", directory)), ["log-..-..-log"]);
  });

  const failures: [args: string[], status: number, message: RegExp][] = [
    [["checkout", "os/small"], 2, /say where to: a directory, or --tar FILE/],
    [["checkout", "os/small", "out", "--tar", "x.tar"], 2, /exclude each other/],
    [["checkout", "os/small", "full"], 1, /full is not empty\n.*--force/],
    [["checkout", "os/small", "--tar", "x.tar.xz"], 1, /not compressed with xz\n.*--tar - \| xz/],
    [["checkout", "os/small", "--tar", "x.zip"], 2, /x\.zip would be a tar archive, .*\n.*ends in \.tar/],
    [["checkout", "os/small", "--tar", "x.tar.zst"], 1, /not compressed with zstd\n.*--tar - \| zstd/],
    [["checkout", "out2", "os/small"], 2, /"out2" is not PROJECT\/ELEMENT\/KEY\n.*checkout os\/small out2$/m],
    [["pull", "os/many", ""], 2, /^stillage: NAME: it is empty, and PROJECT\/ELEMENT\/KEY goes here/],
    [["checkout", "os/small", "out", "--tree", "buildtree"], 1, /has no buildtree\n.*it has files/],
    [["log", "os/many"], 1, /os\/many\/a+ has no log/],
    [["diff", "os/many", "os/none"], 2, /there is no artifact "os\/none"/],
    [["diff", "os/small"], 2, /"os\/small" would be compared with itself\n.*--with PLACE/],
    [["delete", "os/none"], 1, /there is no artifact/],
    [["show", "os/small", "--in", "lokal"], 2, /did you mean local\?/],
    [["list", "--instance", "x"], 2, /no store of a server/],
  ];
  for (const [args, status, message] of failures) {
    test(`${args.join(" ")}: says what is wrong, and ends with ${status}`, async () => {
      mkdirSync(join(folder.path, "full/of"), { recursive: true });
      const outcome = await artifact(
        ...args,
        ...(args.includes("--in") || args.includes("pull") ? [] : ["--in", "cache"]),
      );
      assert.match(outcome.stderr, message);
      assert.deepEqual([outcome.status, outcome.stdout], [status, ""]);
    });
  }
});
