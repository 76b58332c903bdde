import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readAccessFile } from "../../src/config/access.ts";
import { defaultReceiveLimits } from "../../src/release/receive-limits.ts";
import { readRepositorySettings } from "../../src/release/repository-settings.ts";
import { checkout } from "../clients/support/checkout.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { blocksOf } from "./markdown.ts";

const page = readFileSync(join(checkout, "docs/RELEASES.md"), "utf8");
const block = (start: string): string => blocksOf(page).find(({ text }) => text.startsWith(start))?.text ?? "";

test("docs/RELEASES.md: the rules for whoever publishes over ssh are rules, and the limits of a push the defaults", async () => {
  await using workspace = await createWorkspace();
  const [access, settings] = [join(workspace.path, "access.yaml"), join(workspace.path, "repository.yaml")];
  writeFileSync(access, block("rights:"));
  const read = readAccessFile(access, "test");
  assert.ok("rules" in read, JSON.stringify(read));
  assert.deepEqual(read.rules[0]?.who, { kind: "ssh", name: "ci" });
  writeFileSync(settings, `title: test\n${block("receive:")}`);
  const repository = readRepositorySettings(settings);
  assert.ok("title" in repository, JSON.stringify(repository));
  assert.match(block("receive:"), /objects: /);
  assert.deepEqual(repository.receive, defaultReceiveLimits);
});
