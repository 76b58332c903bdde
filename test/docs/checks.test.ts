import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "../cli/support/folder.ts";
import { checkout, run } from "../cli/support/programs.ts";
import { flip, makeStore } from "../fault/damaged-store.ts";

/** The commands of docs/CHECKS.md, for a store elsewhere. */
function commands(store: string): string[][] {
  const text = readFileSync(join(checkout, "docs/CHECKS.md"), "utf8");
  const block = /```sh\n(.*?)```/s.exec(text)?.[1] ?? "";
  const lines = block.split("\n").filter((line) => line !== "");
  return lines.map((line) =>
    line
      .replace(/\s+#.*/, "")
      .replace("/srv/cache", store)
      .split(" ")
      .slice(1),
  );
}

test("what is said about stillage store fsck is so: it finds, changes nothing, repairs, and is content then", async () => {
  await using folder = await newFolder();
  const options = { cwd: folder.path };
  const store = join(folder.path, "store");
  await makeStore(store, join(folder.path, "killed"));
  const [check = [], repair = [], json = []] = commands(store);
  const whole = await run("stillage", check, options);
  assert.deepEqual([whole.status, whole.stderr], [0, ""]);
  assert.match(
    whole.stdout,
    /^\S+: 120 blobs whole, in \d packs and \d+ files; \d+ names; .* read at .* a second\nnothing is wrong\n$/,
  );

  const pack = join(store, "tenants/@/sha256/packs/00000001.pack");
  flip(pack, (readFileSync(pack).indexOf("content 2 ") + 3) * 8);
  const found = await run("stillage", check, options);
  assert.deepEqual([found.status, found.stderr], [1, ""]);
  assert.match(
    found.stdout,
    /wrong: blob-rotten, 1: .*\n {2}tenants\/@\/sha256\/packs\/00000001\.pack: sha256 [0-9a-f]{64}/,
  );
  assert.match(found.stdout, /note: ref-incomplete, 1: /);
  assert.equal(readdirSync(store).includes("quarantine"), false);
  const told = await run("stillage", json, options);
  const { wrong, unrepaired, findings } = JSON.parse(told.stdout);
  assert.deepEqual([told.status, wrong, unrepaired, findings[0].kind], [1, 1, 1, "blob-rotten"]);
  const repaired = await run("stillage", repair, options);
  assert.equal(repaired.status, 1);
  assert.match(repaired.stdout, /repaired: it is quarantined.*\n(.*\n)*all that was wrong is repaired\n$/);
  assert.equal((await run("stillage", check, options)).status, 0);
});

test("stillage store fsck wants a store", async () => {
  await using folder = await newFolder();
  const none = await run("stillage", ["store", "fsck"], { cwd: folder.path });
  assert.equal(none.status, 1);
  assert.match(none.stderr, /^stillage: .*cache is not a store; [^\n]*\n$/);
  mkdirSync(join(folder.path, "other"));
  writeFileSync(join(folder.path, "other", "thesis.tex"), "");
  const other = await run("stillage", ["store", "fsck", "--store", "other", "--repair"], { cwd: folder.path });
  assert.equal(other.status, 1);
  assert.match(other.stderr, /^stillage: .*other is not a store; [^\n]*\n$/);
  assert.deepEqual(readdirSync(join(folder.path, "other")), ["thesis.tex"]);
});
