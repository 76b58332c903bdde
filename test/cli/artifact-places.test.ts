import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { programFile } from "../support/program-file.ts";
import { fillCache } from "./support/cache-with-artifacts.ts";
import { type Folder, newFolder } from "./support/folder.ts";
import { type Outcome, run, runCommand } from "./support/programs.ts";

const key = "a".repeat(64);

describe("places of artifacts that are not what was meant", () => {
  let folder: Folder;
  const stillage = (...words: string[]): Promise<Outcome> =>
    run("stillage", words, { cwd: folder.path, env: { HOME: folder.path } });

  before(async () => {
    folder = await newFolder();
    await fillCache(join(folder.path, "cache"), [{ name: "os/app", key, files: { tool: "tool" } }]);
    await writeFile(join(folder.path, "file"), "");
    await symlink("nowhere", join(folder.path, "dangling"));
  });
  after(() => folder[Symbol.asyncDispose]());

  test("a directory that this user may not read, or write to, is said to be one", async (t) => {
    const nobody = 65534;
    if (process.getuid?.() !== 0) return t.skip("only root can become another user");
    const { path } = folder;
    const asNobody = async (...words: string[]): Promise<Outcome> => {
      const become = `process.setegid(${nobody}); process.seteuid(${nobody}); process.getuid = process.geteuid`;
      const preload = `--import=data:text/javascript,${encodeURIComponent(become)}`;
      return run("stillage", words, { cwd: path, env: { HOME: path, NODE_OPTIONS: preload } });
    };
    await chmod(path, 0o755);
    await mkdir(join(path, "secret"), { mode: 0o700 });
    const listed = await asNobody("artifact", "list", "--in", "secret");
    assert.match(
      listed.stderr,
      /^stillage: \S+\/secret cannot be read: permission denied \(EACCES\)\nstillage: run as /,
    );
    const out = await asNobody("artifact", "checkout", "os/app", "out", "--in", "cache");
    assert.match(out.stderr, /^stillage: \S+ takes no new directory: permission denied\nstillage: check out to/);
    assert.deepEqual([listed.status, out.status], [1, 1]);
  });

  test("a working directory that has gone is said", async () => {
    const { path } = folder;
    const words = ["-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh", process.execPath];
    for (const command of [
      ["remote", "list"],
      ["artifact", "list"],
      ["serve", "x"],
    ]) {
      const options = { cwd: path, env: { HOME: path } };
      const outcome = await runCommand("/bin/sh", [...words, programFile("stillage"), ...command], options);
      assert.deepEqual(outcome, {
        status: 1,
        stdout: "",
        stderr:
          "stillage: the working directory is not there any more\nstillage: go to a directory that is there (cd)\n",
      });
    }
  });

  const failures: [command: string, status: number, message: RegExp][] = [
    ["artifact pull os/app --from cache --cache /proc/x", 1, /: writing to \/proc\/x\S*: no such file .*ENOENT/],
    ["artifact pull os/app --from cache --cache file", 2, /--cache: .*\/file is no directory/],
    ["artifact pull os/app --from cache --cache dangling", 2, /--cache: .*\/dangling is a link that leads nowhere/],
    ["artifact pull os/app --from cache --cache file/x", 1, /\/file is no directory/],
    ["artifact list --cache=", 2, /--cache <DIR>: it is empty, and a directory goes here/],
    ["artifact pull os/app --from cache --from=", 2, /--from <PLACE>: it is empty, and a place goes here/],
    ["artifact log os/app --in cache --out=", 2, /--out <DIR>: it is empty, and a directory goes here/],
    ["artifact checkout os/app --in cache ", 2, /DIR: it is empty, and a directory goes here/],
    ["artifact list --cache nope", 0, /note: there is no directory \/\S+\/nope, which --cache names/],
    ["artifact push os/app --cache nope", 1, /note: there is no directory \/\S+\/nope, which --cache names/],
    ["artifact pull os/app --from cache --to new", 2, /there is no directory \/\S+\/new, .*\n.*--cache new$/m],
    ["mirror cache new", 2, /there is no directory \/\S+\/new, .*\n.*--cache new$/m],
    ["mirror cache x.tar.gz", 2, /archives of artifacts are tar files that are not compressed\n.*ends in \.tar/],
    [
      `artifact pull os/app/${"b".repeat(64)} --from cache`,
      1,
      /no artifact "os\/app\/b+" in .*\n.*with other keys: os\/app\/a/,
    ],
    [`mirror cache x.tar os/ap/${key}`, 1, /no artifact "os\/ap\/a+" in .*\n.*did you mean os\/app\?/],
    ["artifact show zz/zz --in cache", 1, /`stillage artifact list --in \S+\/cache` shows what there is/],
    ["artifact list --in file", 2, /it is a file, and not called \.tar/],
    ["artifact checkout os/app /proc/x --in cache", 1, /making \/proc\/x: no such file .*ENOENT/],
  ];
  for (const [command, status, message] of failures) {
    test(`${command}: says what is wrong, and ends with ${status}`, async () => {
      const outcome = await stillage(...command.split(" "));
      assert.match(outcome.stderr, message);
      assert.doesNotMatch(outcome.stderr, /Error: |\n {4}at /);
      assert.equal(outcome.status, status);
    });
  }
});
