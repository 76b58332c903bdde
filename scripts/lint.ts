// The rules of the house that neither the compiler nor the formatter knows, over every file that git would take.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bannedWords } from "./lint/banned-words.ts";
import { importProblems } from "./lint/imports.ts";
import { shapeProblems } from "./lint/shape.ts";

const root = join(import.meta.dirname, "..");
const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
if (listed.status !== 0) throw new Error(`cannot list the files: ${listed.stderr ?? listed.error}`);
const files = listed.stdout.toString().split("\0").filter(Boolean);

let problems = 0;
for (const file of new Set(files)) {
  const text = read(file);
  if (text === undefined) continue;
  const found = bannedWords(text);
  if (file.endsWith(".ts")) found.push(...importProblems(file, text), ...shapeProblems(file, text));
  for (const problem of found) console.error(`${file}: ${problem}`);
  problems += found.length;
}
if (problems > 0) process.exitCode = 1;

/** The text of a file; `undefined` for one that is deleted but not yet from the index. */
function read(file: string): string | undefined {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
