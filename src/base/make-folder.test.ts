import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { makeFolder, makeFolderSync } from "./make-folder.ts";

describe("directories with those above them", () => {
  const folder = mkdtempSync(join(tmpdir(), "make-folder-"));
  after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "there"));
  writeFileSync(join(folder, "file"), "");
  symlinkSync("there", join(folder, "link"));
  symlinkSync("gone", join(folder, "dangling"));

  const ways = [
    ["at once", async (path: string, mode?: number) => makeFolderSync(path, mode)],
    ["in time", makeFolder],
  ] as const;
  for (const [how, make] of ways) {
    test(`are made ${how}, those that are missing alone`, async () => {
      const top = join(folder, "link", how);
      assert.deepEqual(await make(join(top, "a/b"), 0o700), [top, join(top, "a"), join(top, "a/b")]);
      assert.deepEqual(await make(join(top, "a/b")), []);
      assert.deepEqual(await make(relative(process.cwd(), join(top, "c"))), [join(top, "c")]);
      assert.equal(statSync(join(top, "a")).mode & 0o777, 0o700);
      assert.deepEqual(await make("/"), []);
    });

    test(`fail ${how} with what the file system says, where it takes none`, async () => {
      for (const path of ["/proc/x", "/proc/x/y/z", "/proc/self/x"]) {
        const error = await make(path).then(
          () => undefined,
          (reason) => reason,
        );
        assert.match(error?.code, /^E(NOENT|ACCES|PERM)$/, path);
      }
    });

    test(`name what is in the way ${how}`, async () => {
      for (const [path, message] of [
        ["file", /\/file is no directory$/],
        ["file/a/b", /\/file is no directory$/],
        ["dangling", /\/dangling is a link that leads nowhere$/],
        ["dangling/a", /\/dangling is a link that leads nowhere$/],
      ] as const) {
        await assert.rejects(make(join(folder, path)), { code: "failed-precondition", message });
      }
    });
  }
});
