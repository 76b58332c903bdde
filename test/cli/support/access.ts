import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "./programs.ts";

/** Writes an access file with these rules into `folder`; its tokens are beside it. */
export async function writeAccess(folder: string, rights: readonly object[], more: object = {}): Promise<string> {
  const path = join(folder, "access.yaml");
  await writeFile(path, stringify({ tokens: "tokens", ...more, rights }));
  return path;
}

/** Makes a token with the program, and gives it. */
export async function createToken(folder: string, name: string, ...options: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(
    "stillage",
    ["token", "create", name, "--access", "access.yaml", ...options],
    { cwd: folder },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^stillage_[\w-]{43}\n$/);
  return stdout.trimEnd();
}
