import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { checkout, run, serve } from "./support/programs.ts";

test("a backup of a running server becomes a store that another one serves", async () => {
  await using folder = await newFolder();
  await cp(join(checkout, "test/fixtures/stores/format-2"), join(folder.path, "store"), { recursive: true });
  const stillage = (...args: string[]) => run("stillage", args, { cwd: folder.path });
  const old = await stillage("store", "backup", "saved", "--store", "store");
  assert.deepEqual([old.status, old.stdout], [1, ""]);
  assert.match(old.stderr, /has format 2 of an older version .*`stillage store migrate`/);

  await using server = await serve("stillage", ["serve", "store", "--listen", "127.0.0.1:0"], { cwd: folder.path });
  const made = await stillage("store", "backup", "saved", "--store", "store", "--rate", "100M");
  assert.deepEqual([made.status, made.stderr], [0, ""]);
  assert.match(made.stdout, /^\/.*\/saved: 12 refs, 2 packs and 0 large blobs, 3\.6 kB; .* copied\n$/);
  const again = JSON.parse((await stillage("store", "backup", "saved", "--store", "store", "--json")).stdout);
  const { store, backup, refs, gone, packs, files, bytes } = again;
  assert.deepEqual([store, backup], [join(folder.path, "store"), join(folder.path, "saved")]);
  assert.deepEqual([refs, gone, packs, files, bytes], [12, 0, 2, 0, 3611]);
  server.signal("SIGTERM");
  await server.ended();

  const served = await stillage("serve", "saved");
  assert.match(served.stderr, /saved is not empty and not a store: it has "backup\.json"/);
  const restored = await stillage("store", "restore", "saved", "--store", "new");
  assert.deepEqual([restored.status, restored.stderr], [0, ""]);
  assert.match(restored.stdout, /^\/.*\/new: 12 refs of 20\d\d-.*Z, 22 blobs \(all verified\), 3\.6 kB\n$/);
  for (const name of ["saved", "new"]) {
    const root = join(folder.path, name);
    const all = [root, ...readdirSync(root, { recursive: true, encoding: "utf8" }).map((each) => join(root, each))];
    // Who may not read the store may not read what is made of it.
    const open = all.filter((path) => (statSync(path).mode & 0o077) !== 0);
    assert.deepEqual(open, []);
  }
  const quick = await stillage("store", "restore", "saved", "--store", "quick", "--quick", "--json");
  const { blobs, verified, damaged } = JSON.parse(quick.stdout);
  assert.deepEqual([blobs, verified, damaged], [22, false, []]);
  await using _ = await serve("stillage", ["serve", "new", "--listen", "127.0.0.1:0"], { cwd: folder.path });
  const shown = await stillage("artifact", "show", "harbour/base.bst/2", "--in", "new", "--instance", "team/os");
  assert.match(shown.stdout, /^complete\tyes$/m);
});

test("wrong usage ends with 2, anything else that is wrong with 1 and what", async () => {
  await using folder = await newFolder();
  await cp(join(checkout, "test/fixtures/stores/format-2"), join(folder.path, "store"), { recursive: true });
  const cases: readonly (readonly [status: number, args: readonly string[], said: RegExp])[] = [
    [2, ["backup"], /missing required argument 'DIR'/],
    [2, ["backup", "saved", "--rate", "fast"], /"fast" is not a size of at least 1 bytes/],
    [2, ["restore"], /missing required argument 'BACKUP'/],
    [2, ["backup", "store/within", "--store", "store"], /cannot be in the store itself/],
    [1, ["backup", "saved", "--store", "absent"], /absent is not a store\n.*name the directory/],
    [1, ["restore", "store", "--store", "new"], /store is not a backup\n.*name the directory/],
    [1, ["backup", ".", "--store", "/nowhere"], /is not a store/],
  ];
  for (const [status, args, said] of cases) {
    const result = await run("stillage", ["store", ...args], { cwd: folder.path });
    assert.deepEqual([result.status, result.stdout], [status, ""], args.join(" "));
    assert.match(result.stderr, said);
  }
});
