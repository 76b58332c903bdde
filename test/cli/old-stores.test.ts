import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import { silentLog } from "../../src/base/log.ts";
import { Closure } from "../../src/cache/closure.ts";
import { openCache } from "../../src/cache/open-cache.ts";
import { composeTenant } from "../../src/cache/tenant.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import { newFolder } from "./support/folder.ts";
import { checkout, run, serve } from "./support/programs.ts";

const urn = "urn:fdc:buildstream.build:2020";
const key = (digit: string): string => digit.repeat(64);

for (const format of [1, 2, 3]) {
  test(`all that a store of format ${format} has is there, and more is taken`, async () => {
    await using folder = await newFolder();
    const directory = join(folder.path, "store");
    await cp(join(checkout, `test/fixtures/stores/format-${format}`), directory, { recursive: true });
    const options = { quota: undefined, durability: "on", clock: systemClock, log: silentLog } as const;
    const cache = await openCache(directory, options);
    for (const instance of ["", "team/os"]) {
      const blobs = cache.store.tenant(instance);
      const closure = new Closure(blobs, () => cache.store.removals());
      const tenant = composeTenant(instance, { ...cache, blobs, closure, clock: systemClock, indexOnly: false });
      const query = { qualifiers: [], function: undefined, oldest: undefined };
      for (const digit of ["2", "f"]) {
        const uri = `${urn}:artifact:harbour/base.bst/${key(digit)}`;
        const found = await tenant.assets.find({ ...query, kind: "blob", uris: [uri] });
        assert.ok(found, uri);
        assert.equal((await read(blobs, found.digest)).length, found.digest.size);
      }
      const uris = [`${urn}:v1:harbour/old-base/${key("1")}`];
      assert.ok(await tenant.assets.find({ ...query, kind: "directory", uris }));
      assert.ok(await tenant.messages.find("artifact", `harbour/between-base/${key("9")}`));
      const inline = { stdout: false, stderr: false, files: [] };
      const action = digestOf(sha256, Buffer.from("an action"));
      assert.ok(await tenant.actions.get(action, inline));
      const bytes = Buffer.from("read me");
      assert.deepEqual(Buffer.from(await read(blobs, digestOf(sha256, bytes))), bytes);
      assert.equal(await cache.refs.artifacts.count(instance), 3);

      const later = Buffer.from(`later ${instance}`);
      const digest = digestOf(sha256, later);
      await blobs.put(digest, later);
      const asset = { kind: "blob", qualifiers: [], references: [], expires: undefined, message: later } as const;
      await tenant.assets.store({ ...asset, uris: [`${urn}:artifact:harbour/base.bst/${key("3")}`], digest });
      assert.equal(await cache.refs.artifacts.count(instance), 4);
    }
    await cache.close();
    const { status, stdout } = await run("stillage", ["artifact", "list", "--in", "store"], { cwd: folder.path });
    assert.deepEqual([status, stdout.match(/^harbour\t/gm)?.length], [0, 4]);
  });
}

test("a reader leaves an old store alone, and says what brings it to the present format", async () => {
  await using folder = await newFolder();
  await cp(join(checkout, "test/fixtures/stores/format-1"), join(folder.path, "store"), { recursive: true });
  const read = await run("stillage", ["artifact", "list", "--in", "store"], { cwd: folder.path });
  assert.deepEqual([read.status, read.stdout], [1, ""]);
  assert.match(
    read.stderr,
    /^stillage: .*refs\.sqlite has format 1 of an older version .*`stillage store migrate`.*\n$/,
  );
  const pin = await run("stillage", ["pin", "a/b/c", "--store", "store"], { cwd: folder.path });
  assert.deepEqual([pin.status, pin.stderr], [1, read.stderr]);

  const migrate = ["store", "migrate", "--store", "store"];
  const first = await run("stillage", migrate, { cwd: folder.path });
  assert.deepEqual([first.status, first.stderr], [0, ""]);
  assert.match(first.stdout, /^\/.*\/store: format 1 became 4, with 12 refs\n$/);
  const second = await run("stillage", migrate, { cwd: folder.path });
  assert.match(second.stdout, /^\/.*\/store has the present format, 4: nothing to do\n$/);
  const third = await run("stillage", [...migrate, "--json"], { cwd: folder.path });
  assert.deepEqual(JSON.parse(third.stdout), { store: join(folder.path, "store"), from: 4, to: 4, refs: 0 });
  const shown = await run("stillage", ["artifact", "show", "harbour/base.bst/2", "--in", "store"], {
    cwd: folder.path,
  });
  assert.match(shown.stdout, /^complete\tyes$/m);
});

test("a server brings its store to the present format and says so; nobody else does meanwhile", async () => {
  await using folder = await newFolder();
  await cp(join(checkout, "test/fixtures/stores/format-2"), join(folder.path, "store"), { recursive: true });
  await using server = await serve("stillage", ["serve", "store", "--listen", "127.0.0.1:0"], { cwd: folder.path });
  const { from, to, refs } = await server.logged("brought the refs to the present format");
  assert.deepEqual([from, to, refs], [2, 4, 12]);
  const { status, stderr } = await run("stillage", ["store", "migrate", "--store", "store"], { cwd: folder.path });
  assert.equal(status, 1);
  assert.match(stderr, /^stillage: another process is using the store .*\nstillage: stop that server, .*\n$/);
});

test("a backup with refs of an older format becomes a store of the present one", async () => {
  await using folder = await newFolder();
  const old = join(checkout, "test/fixtures/stores/format-1");
  const stillage = (...words: string[]) => run("stillage", words, { cwd: folder.path });
  await cp(old, join(folder.path, "store"), { recursive: true });
  await stillage("store", "migrate", "--store", "store");
  assert.equal((await stillage("store", "backup", "saved", "--store", "store")).status, 0);
  await cp(join(old, "refs.sqlite"), join(folder.path, "saved/refs.sqlite"));
  const restored = await stillage("store", "restore", "saved", "--store", "new");
  assert.deepEqual([restored.status, restored.stderr], [0, ""]);
  const checked = await stillage("store", "fsck", "--store", "new");
  assert.deepEqual([checked.status, checked.stderr], [0, ""], checked.stdout);
  const shown = await stillage("artifact", "show", "harbour/base.bst/2", "--in", "new");
  assert.match(shown.stdout, /^complete\tyes$/m);
});
