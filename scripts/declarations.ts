// Writes the declarations of the library into dist/types/: those that its entry leads to, under names that every way of resolving modules finds.
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const target = join(root, "dist/types");
const entry = "library.d.ts";
/** Where a declaration names a file of ours. */
const relative = /(\bfrom "|\bimport\(")(\.[^"]+)\.ts"/g;

const all = await mkdtemp(join(tmpdir(), "stillage-declarations-"));
try {
  const words = ["--project", join(root, "scripts/declarations.json"), "--outDir", all];
  execFileSync(join(root, "node_modules/.bin/tsc"), words, { stdio: "inherit" });
  await rm(target, { recursive: true, force: true });
  const reached = new Set([entry]);
  for (const file of reached) {
    const text = await readFile(join(all, file), "utf8");
    for (const [, , path] of text.matchAll(relative)) reached.add(`${join(dirname(file), path ?? "")}.d.ts`);
    await mkdir(join(target, dirname(file)), { recursive: true });
    await writeFile(join(target, file), text.replaceAll(relative, '$1$2.js"'));
  }
} finally {
  await rm(all, { recursive: true, force: true });
}
