import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { StillageError } from "../../base/errors.ts";
import { makeRoot } from "./directories.ts";
import { userNamed } from "./directory-access.ts";

async function newFolder() {
  const path = await mkdtemp(join(tmpdir(), "stillage-root-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("the directory of a store is made with those above it, and may be there", async () => {
  await using folder = await newFolder();
  const root = join(folder.path, "a/b/c");
  await makeRoot(root);
  await makeRoot(root);
  assert.ok((await stat(root)).isDirectory());
});

test("where there can be none, the reason is said, at once", async () => {
  await using folder = await newFolder();
  const file = join(folder.path, "file");
  await writeFile(file, "");
  await symlink(join(folder.path, "nowhere"), join(folder.path, "link"));
  const cases = [
    [file, `cannot make the directory ${file}: ${file} is a file`],
    [join(file, "a/b"), `cannot make the directory ${file}/a/b: ${file} is a file`],
    [join(folder.path, "link"), `cannot make the directory ${folder.path}/link: EEXIST`],
    ["/proc/1/none/a", "cannot make the directory /proc/1/none/a: ENOENT"],
  ] as const;
  for (const [path, message] of cases) {
    await assert.rejects(makeRoot(path), (error) => {
      assert.ok(error instanceof StillageError);
      assert.equal(error.message, message);
      return true;
    });
  }
});

test("another user's directory is said to be that", { skip: process.getuid?.() !== 0 }, async () => {
  await using folder = await newFolder();
  const store = join(folder.path, "store");
  await makeRoot(store);
  await chmod(folder.path, 0o755);
  await chmod(store, 0o700);
  const script = `
    import { makeRoot } from ${JSON.stringify(join(import.meta.dirname, "directories.ts"))};
    import { checkReadable } from ${JSON.stringify(join(import.meta.dirname, "read-only-store.ts"))};
    process.setuid(65534);
    const refused = async (work) => console.log(await work().then(() => "no refusal", ({ message, hint }) => message + "; " + hint));
    await refused(() => makeRoot(${JSON.stringify(store)}));
    await refused(() => makeRoot(${JSON.stringify(join(folder.path, "new"))}));
    await refused(async () => checkReadable(${JSON.stringify(store)}));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.equal(stderr, "");
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    `this user may not write to ${store}, which belongs to root; run it as root`,
    `this user may not write to ${folder.path}, which belongs to root; run it as root`,
    `this user may not read ${store}, which belongs to root; run it as root`,
  ]);
});

test("users are called by their names", () => {
  const passwd = "root:x:0:0:root:/root:/bin/bash\nstillage:x:101:103::/:/usr/sbin/nologin\n:x:7:7::/:\n";
  assert.deepEqual(
    [0, 101, 7, 8].map((uid) => userNamed(passwd, uid)),
    ["root", "stillage", undefined, undefined],
  );
});
