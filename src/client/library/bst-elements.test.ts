import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { elementQuestions } from "./bst-elements.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bst-elements-"));
});
after(() => rm(folder, { recursive: true }));

/** A program that refuses every project as `bst` does, and has a version. */
async function refusing(version: string): Promise<string> {
  const path = join(folder, `bst-${version}`);
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "Unexpected key: min-version" >&2; exit 255; fi\n`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

test("a `bst` of another generation than the project's is said to be one, where it is and which", async () => {
  const { signal } = new AbortController();
  for (const [version, generation, said] of [
    ["1.6.8", "2", /\/bst-1\.6\.8 is BuildStream 1\.6\.8, and app in \S+ is a project for BuildStream 2$/],
    ["2.8.1", "1", /\/bst-2\.8\.1 is BuildStream 2\.8\.1, and app in \S+ is a project for BuildStream 1$/],
    ["1.93.4", "2", /`bst show` exited with 255: Unexpected key: min-version$/],
    ["2.8.1", "2", /`bst show` exited with 255: Unexpected key: min-version$/],
  ] as const) {
    const call = { program: await refusing(version), userConfiguration: undefined, options: [] };
    const questions = elementQuestions({ project: { name: "app", directory: folder }, generation }, call);
    const failure = questions?.(["a.bst"], signal) ?? Promise.resolve();
    await assert.rejects(failure, { code: "failed-precondition", message: said });
  }
});
