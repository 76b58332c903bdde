import assert from "node:assert/strict";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { run } from "./support/programs.ts";

test("`stillage release` makes releases of directories, and says what is wrong with what it is asked", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await mkdir(join(cwd, "tree"));
  await writeFile(join(cwd, "tree/file"), "one");
  const env = { STILLAGE_RELEASES: join(cwd, "releases") };
  const release = (...words: string[]) => run("stillage", ["release", ...words], { cwd, env });
  const create = ["create", "--tree", "tree", "--branch", "main"];

  const unset = await run("stillage", ["release", "list"], { cwd });
  assert.deepEqual([unset.status, unset.stdout], [2, ""]);
  assert.match(unset.stderr, /name it with --releases DIR, STILLAGE_RELEASES, or `releases`/);
  const none = await release("list");
  assert.equal(none.status, 1);
  assert.match(none.stderr, /`stillage release init NAME` makes one/);

  assert.equal((await release("init", "os", "--title", "The OS")).status, 0);
  assert.equal((await release("init", "other", "--keep", "sometimes")).status, 2);
  const twice = await release("init", "os");
  assert.match(twice.stderr, /there is a release repository os in .*\n.*change .*repository\.yaml for other settings/);

  // A web server of another user reads what is public, whatever mask a service has.
  const mask = process.umask(0o077);
  const first = await release(...create, "--version", "1", "--json");
  process.umask(mask);
  assert.equal(first.status, 0, first.stderr);
  const published = join(cwd, "releases/os/public");
  for (const name of await readdir(published, { recursive: true })) {
    const { mode } = await stat(join(published, name));
    assert.equal(mode & 0o044, 0o044, name);
  }
  const { outcome, releases, content } = JSON.parse(first.stdout);
  assert.deepEqual([outcome, releases.length, content.files], ["published", 1, 1]);
  const prepared = await release("prepare", "--tree", ".", "--branch", "main", "--json");
  const { prepared: id } = JSON.parse(prepared.stdout);
  assert.match((await release("publish")).stdout, new RegExp(`^${id}\t.*\tmain\n$`));
  assert.match((await release("publish", id.slice(0, 6))).stdout, /^main: [0-9a-f]{64} published\n$/);
  const listed = await release("list");
  assert.equal(listed.stdout.split("\n").length, 3);
  assert.match(listed.stdout, new RegExp(`^main\t1\t${releases[0].commit}\t[-0-9T:.]+Z\tRelease 1$`, "m"));

  for (const [words, message] of [
    [["create", "--branch", "main"], /nothing to release is named/],
    [["create", "--tree", "tree", "--branch", "a..", "--branch", "/b"], /"\/b" cannot be the name of a branch/],
    [[...create, "--timestamp", "soon"], /'soon' is invalid\. It is seconds since 1970/],
    [[...create, "--show", "tree/file"], /not what `bst show` prints/],
    [["create", "--tree", "tree"], /--branch <NAME>/],
  ] as const) {
    const { status, stderr, stdout } = await release(...words);
    assert.deepEqual([status, stdout], [2, ""], stderr);
    assert.match(stderr, message);
  }
  const near = await release("show", "mian");
  assert.equal(near.status, 1);
  assert.match(near.stderr, /did you mean main\?/);
});
