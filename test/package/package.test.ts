import assert from "node:assert/strict";
import { readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { useLibrary } from "./use-library.ts";
import { useServer } from "./use-server.ts";

test("what npm packs installs into an empty folder, serves, and is a library", async () => {
  await using workspace = await createWorkspace();
  const packed = await workspace.folder("packed");
  await runOk("npm", ["pack", "--pack-destination", packed], { cwd: checkout });
  const [tarball = "", ...more] = await readdir(packed);
  assert.deepEqual(more, []);

  const empty = await workspace.folder("empty");
  await runOk("npm", ["install", "--no-audit", "--no-fund", join(packed, tarball)], { cwd: empty });
  const inside = await readdir(join(empty, "node_modules/stillage"));
  const expected = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "bin", "dist", "docs", "package.json"];
  assert.deepEqual(inside.sort(), expected);

  await useServer(join(empty, "node_modules/.bin/stillage"), await workspace.folder("store"));
  assert.match(await runOk(join(empty, "node_modules/.bin/bst-artifact-server"), ["--help"]), /--enable-push/);
  assert.match(await runOk(join(empty, "node_modules/.bin/bst-artifact-receive"), ["--help"]), /--pull-url/);
  await useLibrary(empty, await workspace.folder("library"), await workspace.folder("cache"));
});

test("a checkout that has been built serves by a link from elsewhere", async () => {
  await using workspace = await createWorkspace();
  await runOk("make", ["build"], { cwd: checkout });
  const link = join(await workspace.folder("elsewhere"), "stillage");
  await symlink(join(checkout, "bin/stillage"), link);
  await useServer(link, await workspace.folder("store"), ["--workers", "2"]);
});
