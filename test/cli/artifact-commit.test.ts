import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { firstArtifact, keyOf, pushCommit } from "../../src/artifact/artifact.fixture.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { putCommitOf } from "../../src/cache/commit-tree.fixture.ts";
import { openCache } from "../../src/cache/open-cache.ts";
import { newFolder } from "./support/folder.ts";
import { run } from "./support/programs.ts";

test("stillage artifact shows what BuildStream 1.0 has pushed as it shows the rest", async () => {
  await using folder = await newFolder();
  const options = { quota: undefined, durability: "off", clock: systemClock, log: silentLog } as const;
  const cache = await openCache(join(folder.path, "store"), options);
  const commit = await putCommitOf(cache.store.tenant(""), firstArtifact());
  await pushCommit({ name: "", refs: cache.refs }, "old/app", [keyOf("5"), keyOf("6")], commit);
  await cache.close();
  const words = ["artifact", "show", "old/app.bst/666", "--files", "--in", "store"];
  const { stdout, stderr, status } = await run("stillage", words, { cwd: folder.path });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.deepEqual(
    stdout.split("\n").filter((line) => !/^(pushed|size)\t/.test(line)),
    [
      "artifact\told/app",
      `key\t${keyOf("5")} strong`,
      `key\t${keyOf("6")} weak`,
      "generation\t1.0",
      "complete\tyes",
      "build\tsucceeded",
      "trees\tfiles",
      "log\tbuild.log 13",
      "public data\tbst",
      `built with\t?/components/base.bst/${keyOf("b")} (not here)`,
      "directory\t\tbin\t",
      "file\t10\tbin/tool\t",
      "directory\t\tshare\t",
      "directory\t\tshare/doc\t",
      "file\t5\tshare/doc/a.txt\t",
      "file\t4\tshare/doc/b.txt\t",
      "directory\t\tshare/empty\t",
      "file\t3\ttop.txt\t",
      "",
    ],
  );
  const out = await run("stillage", ["artifact", "checkout", "old/app", "out", "--in", "store"], { cwd: folder.path });
  assert.deepEqual([out.status, out.stderr], [0, ""]);
  assert.equal(readFileSync(join(folder.path, "out/share/doc/b.txt"), "utf8"), "beta");
  assert.deepEqual(readdirSync(join(folder.path, "out")), ["bin", "share", "top.txt"]);
});
