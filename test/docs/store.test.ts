import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

test("the commands of docs/STORE.md back a store up and restore it", async () => {
  const page = readFileSync(join(checkout, "docs/STORE.md"), "utf8");
  const block = blocksOf(page).find(({ language }) => language === "sh");
  const commands = block?.text.trim().split("\n") ?? [];
  assert.equal(commands.length, 2);
  await using workspace = await createWorkspace();
  const store = join(workspace.path, "store");
  cpSync(join(checkout, "test/fixtures/stores/format-2"), store, { recursive: true });
  const run = (line: string): Promise<string> =>
    runOk(process.execPath, [programFile("stillage"), ...line.split(" ").slice(1)], { cwd: checkout });
  await run(`stillage store migrate --store ${store}`);
  for (const line of commands) {
    const here = line
      .replaceAll("/mnt/backup", workspace.path)
      .replaceAll("/var/lib/stillage", store)
      .replaceAll("/srv/restored", join(workspace.path, "restored"));
    assert.match(await run(here), /: 12 refs/);
  }
});
