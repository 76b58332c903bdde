import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type Folder, newFolder } from "./support/folder.ts";
import { checkout, run, serve } from "./support/programs.ts";

const name = `harbour/base.bst/${"2".repeat(64)}`;
const ofArtifact = (digit: string): string =>
  `blob\\x0aurn:fdc:buildstream.build:2020:artifact:harbour/base.bst/${digit.repeat(64)}`;

/** A folder with a store of artifacts in it. */
async function folderWithStore(): Promise<Folder> {
  const folder = await newFolder();
  await cp(join(checkout, "test/fixtures/stores/format-2"), join(folder.path, "store"), { recursive: true });
  const { status } = await run("stillage", ["store", "migrate", "--store", "store"], { cwd: folder.path });
  assert.equal(status, 0);
  return folder;
}

test("pins all refs of an artifact, beside its server or without, lists them and lets them go", async () => {
  await using folder = await folderWithStore();
  const stillage = (...args: string[]) => run("stillage", [...args, "--store", "store"], { cwd: folder.path });
  for (const running of [true, false]) {
    const server = running
      ? await serve("stillage", ["serve", "store", "--listen", "127.0.0.1:0"], { cwd: folder.path })
      : undefined;
    await using _ = server ?? { [Symbol.asyncDispose]: async () => {} };
    const pinned = await stillage("pin", "harbour/base.bst/2222", "harbour/old-*/1");
    assert.deepEqual([pinned.status, pinned.stderr], [0, ""]);
    assert.equal(pinned.stdout, `${name}: 2 refs pinned\nharbour/old-base/${"1".repeat(64)}: 1 ref pinned\n`);
    const listed = await stillage("pin", "--list");
    assert.deepEqual(
      listed.stdout.split("\n").map((line) => line.split("\t")[3]),
      [
        `directory\\x0aurn:fdc:buildstream.build:2020:v1:harbour/old-base/${"1".repeat(64)}`,
        ofArtifact("2"),
        ofArtifact("f"),
        undefined,
      ],
    );
    const one = await stillage("unpin", "--space", "asset", ofArtifact("f"), "--json");
    assert.deepEqual(
      JSON.parse(one.stdout).map(({ refs, pinned }: { refs: number; pinned: boolean }) => [refs, pinned]),
      [[1, false]],
    );
    const json = JSON.parse((await stillage("pin", "--list", "--json", "--space", "asset", "--instance", "")).stdout);
    assert.deepEqual(Object.keys(json[0]), ["space", "instance", "name", "stored", "used", "expires", "by"]);
    assert.equal(json.length, 2);
    const unpinned = await stillage("unpin", name, "harbour/old-base/1");
    assert.equal(unpinned.stdout, `${name}: 2 refs unpinned\nharbour/old-base/${"1".repeat(64)}: 1 ref unpinned\n`);
    assert.equal((await stillage("pin", "--list", "--json")).stdout, "[]\n");
    assert.equal((await stillage("pin", "--list")).stdout, "");
  }
});

test("changes nothing where one of the names is wrong, and says which", async () => {
  await using folder = await folderWithStore();
  const cases: readonly (readonly [status: number, args: readonly string[], said: RegExp])[] = [
    [
      1,
      ["pin", name, "harbour/bas.bst/1"],
      /there is no artifact "harbour\/bas\.bst\/1".*\n.*did you mean harbour\/base/,
    ],
    [1, ["pin", name, "--instance", "nobody"], /there is no instance "nobody" in this store\n/],
    [1, ["pin", "--space", "asset", "blob"], /there is no asset "blob" in the instance without a name\n/],
    [1, ["pin", "--list", "--instance", "nobody"], /there is no instance "nobody" in this store\n/],
    [2, ["pin", "base"], /"base" is not PROJECT\/ELEMENT\/KEY\n/],
    [2, ["pin"], /missing required argument 'NAME'/],
    [2, ["pin", "--list", name], /--list takes no names/],
    [2, ["unpin", "--list"], /missing required argument 'NAME'|unknown option/],
    [2, ["pin", "--space", "blobs", "x"], /Allowed choices are action, asset/],
    [1, ["pin", name, "--store", "absent"], /absent is not a store\n/],
  ];
  for (const [status, args, said] of cases) {
    const store = args.includes("--store") ? [] : ["--store", "store"];
    const result = await run("stillage", [...args, ...store], { cwd: folder.path });
    assert.deepEqual([result.status, result.stdout], [status, ""], args.join(" "));
    assert.match(result.stderr, said);
  }
  assert.equal((await run("stillage", ["pin", "--list", "--store", "store"], { cwd: folder.path })).stdout, "");
});
