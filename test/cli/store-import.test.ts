import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import { commitMembers } from "../../src/cache/push.fixture.ts";
import { putBlob, putDirectory } from "../../src/cache/tree.fixture.ts";
import { OldFolder } from "../../src/import/old-cache.fixture.ts";
import { programFile } from "../support/program-file.ts";
import { newFolder } from "./support/folder.ts";
import { run, serve } from "./support/programs.ts";

/** An old server's folder with two references, of which one is incomplete. */
async function oldFolder(): Promise<OldFolder> {
  const old = new OldFolder();
  old.reference("p/whole", await putDirectory(old, { a: "a", large: "x".repeat(2_000_000) }));
  old.reference("p/holed", await putDirectory(old, { b: "b" }));
  old.drop(digestOf(sha256, Buffer.from("b")));
  return old;
}

test("says in a pipe what was taken, and nothing else; a second time that it is there", async () => {
  await using folder = await newFolder();
  using old = await oldFolder();
  const args = ["store", "import", old.path, "--store", "new"];
  const first = await run("stillage", args, { cwd: folder.path });
  assert.deepEqual([first.status, first.stderr], [0, ""]);
  assert.match(first.stdout, /^\/.*: bst-artifact-server of BuildStream 1\.1\.4 to 1\.6\n/);
  assert.match(first.stdout, /references +1 of 2 taken, 1 incomplete\n/);
  assert.match(first.stdout, /blobs +4 of 4 taken \(2\.0 MB(, 2\.0 MB of it shared with the old files)?\)\n$/);
  const second = await run("stillage", args, { cwd: folder.path });
  assert.deepEqual([second.status, second.stderr], [0, ""]);
  assert.match(
    second.stdout,
    /0 of 2 taken, 1 there already, 1 incomplete\n.*0 of 4 taken \(0 bytes\), 4 there already/,
  );
});

test("of an OSTree repository it says what no ref needs, and what is broken", async () => {
  await using folder = await newFolder();
  using old = new OldFolder();
  const [taken, other] = [await commitMembers({ a: "a" }), await commitMembers({ a: "b" })];
  old.ostreeRef("p/e/key", taken);
  old.ostreeRef("p/e/other", other);
  old.write("refs/heads/p/e/other", "nonsense");
  const { status, stdout, stderr } = await run("stillage", ["store", "import", old.path], { cwd: folder.path });
  assert.equal(status, 1);
  assert.match(stderr, /^stillage: \/.*\/refs\/heads\/p\/e\/other: "nonsense" is no checksum /);
  assert.match(stdout, /: an OSTree repository, .*\n +ostree refs +1 of 2 taken, 1 wrong\n/);
  assert.match(stdout, /blobs +4 of 7 taken \(.*\), 3 needed by no ref that is taken, and left out\n$/);
});

test("a dry run makes no store, and says what would be taken, in JSON too", async () => {
  await using folder = await newFolder();
  using old = await oldFolder();
  const args = ["store", "import", old.path, "--store", "new", "--dry-run"];
  const said = await run("stillage", args, { cwd: folder.path });
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stdout, /1 of 2 would be taken, 1 incomplete\n.*4 of 4 would be taken/);
  const { status, stdout, stderr } = await run("stillage", [...args, "--json"], { cwd: folder.path });
  assert.deepEqual([status, stderr, existsSync(join(folder.path, "new"))], [0, "", false]);
  const result = JSON.parse(stdout);
  const { directory, layouts, instance, dryRun, complete, names, blobs, problems, problemsLeftOut } = result;
  assert.deepEqual([directory, layouts, instance, dryRun, complete], [old.path, ["bst1"], "", true, true]);
  assert.deepEqual([names.references.found, names.references.taken, names.references.incomplete], [2, 1, 1]);
  assert.deepEqual([blobs.files, blobs.taken, problems, problemsLeftOut], [4, 4, [], 0]);
});

test("wrong blobs are named and counted, the rest is taken, and the exit status is 1", async () => {
  await using folder = await newFolder();
  using old = await oldFolder();
  for (let i = 0; i < 30; i++) old.write(old.blobPath(digestOf(sha256, Buffer.from(`${i}`))), "something else");
  const { status, stdout, stderr } = await run("stillage", ["store", "import", old.path], { cwd: folder.path });
  assert.equal(status, 1);
  assert.match(stdout, /4 of 34 taken .*, 30 wrong\n$/);
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 21);
  assert.match(lines[0] ?? "", /^stillage: \/.*\/cas\/objects\/..\/.*: it came with bytes whose sha256 is /);
  assert.equal(lines[20], "stillage: 10 more like these");
});

test("a store that a server has is left alone", async () => {
  await using folder = await newFolder();
  using old = await oldFolder();
  await using server = await serve("stillage", ["serve", "new", "--listen", "127.0.0.1:0"], { cwd: folder.path });
  const args = ["store", "import", old.path, "--store", "new"];
  for (const more of [[], ["--dry-run"]]) {
    const { status, stdout, stderr } = await run("stillage", [...args, ...more], { cwd: folder.path });
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^stillage: another process is using the store in .*\/new; stop the server .*\n$/);
  }
  server.signal("SIGTERM");
  await server.ended();
  assert.equal((await run("stillage", args, { cwd: folder.path })).status, 0);
});

test("a quota that is reached ends it with what to do, and raising it goes on", async () => {
  await using folder = await newFolder();
  using old = await oldFolder();
  for (let i = 0; i < 9; i++) await putBlob(old, `${i}`.repeat(1_000_000));
  const args = ["store", "import", old.path, "--store", "new"];
  const { status, stdout, stderr } = await run("stillage", [...args, "--quota", "8M"], { cwd: folder.path });
  assert.equal(status, 1);
  assert.match(stderr, /^stillage: the store is full: .*; raise the quota.*; what was taken stays, and .* goes on/m);
  assert.match(stdout, /references +1 of 2 taken/);
  const again = await run("stillage", [...args, "--quota", "80M"], { cwd: folder.path });
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /1 there already/);
});

test("store, quota and services are those of the server's configuration", async () => {
  await using folder = await newFolder();
  using old = await oldFolder();
  const file = join(folder.path, "conf.yaml");
  await writeFile(file, "store: kept\nservices: index\ninstances: [team/os]\n");
  const args = ["store", "import", old.path, "--config", file];
  const { status, stdout, stderr } = await run("stillage", args, { cwd: "/" });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /references +2 of 2 taken\n$/); // of an index, the names alone
  assert.match(stderr, /^stillage: the server has to be told to serve it: --instance ""\n$/);
  assert.ok(existsSync(join(folder.path, "kept/format")));
  const named = await run("stillage", [...args, "--instance", "team/os"], { cwd: "/" });
  assert.deepEqual([named.status, named.stderr], [0, ""]);
});

test("a signal ends it, and the next run goes on", async () => {
  await using folder = await newFolder();
  using old = new OldFolder();
  for (let i = 0; i < 3000; i++) await putBlob(old, `blob ${i}`);
  const args = ["store", "import", old.path, "--store", "new"];
  const made = watch(folder.path);
  const child = spawn(process.execPath, [programFile("stillage"), ...args], { cwd: folder.path });
  const ended = once(child, "close");
  const said: Buffer[] = [];
  child.stderr.on("data", (piece: Buffer) => said.push(piece));
  for await (const _ of made) {
    child.kill("SIGINT"); // the store is being made
    break;
  }
  const [status] = await ended;
  // It may have come to its end all the same.
  assert.match(`${status} ${Buffer.concat(said)}`, /^(0 $|1 stillage: stopped before the end; what was taken stays, )/);
  const again = await run("stillage", args, { cwd: folder.path });
  assert.equal(again.status, 0, again.stderr);
  const [, taken, there = "0"] = /(\d+) of 3000 taken \(.*?\)(?:, (\d+) there already)?/.exec(again.stdout) ?? [];
  assert.equal(Number(taken) + Number(there), 3000);
});

test("who serves an old directory is told how to take it over", async () => {
  await using folder = await newFolder();
  using old = await oldFolder();
  const { status, stderr } = await run("bst-artifact-server", ["--port", "0", old.path], { cwd: folder.path });
  assert.equal(status, 1);
  assert.match(stderr, /not empty and not a store: .*; name an empty directory, .*`stillage store import`/);
});

test("wrong usage ends with 2, a directory of something else with 1 and what was looked for", async (t) => {
  await using folder = await newFolder();
  using old = await oldFolder();
  const cases: readonly (readonly [status: number, args: readonly string[], said: RegExp])[] = [
    [2, [], /missing required argument 'DIR'/],
    [2, [old.path, "more"], /too many arguments/],
    [2, [old.path, "--hardlink"], /unknown option '--hardlink'\n\(Did you mean --hard-link\?\)/],
    [2, [old.path, "--quota", "many", "--instance", "a//b"], /--quota: .*\nstillage: --instance: /],
    [2, [old.path, "--services", "half"], /--services/],
    [2, [old.path, "--config", "absent.yaml"], /absent\.yaml/],
    [1, [folder.path], /none of cas\/objects, cas\/refs\/heads, .*; name the directory/],
    [1, [join(folder.path, "absent")], /is not a directory/],
    [1, [old.path, "--store", old.path], /not empty and not a store/],
  ];
  for (const [status, args, said] of cases) {
    await t.test(args.join(" "), async () => {
      const result = await run("stillage", ["store", "import", ...args], { cwd: folder.path });
      assert.deepEqual([result.status, result.stdout], [status, ""]);
      assert.match(result.stderr, said);
    });
  }
});
