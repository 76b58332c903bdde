import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
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
    ["artifact pull os/app --from cache --cache file", 1, /\/file is no directory/],
    ["artifact pull os/app --from cache --cache dangling", 1, /\/dangling is a link that leads nowhere/],
    ["artifact pull os/app --from cache --cache file/x", 1, /\/file is no directory/],
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
