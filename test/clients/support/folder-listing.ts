import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** One line per entry of a folder, sorted: kind, executable or not, content's hash or link target. Equal listings mean equal content. */
export async function listFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return Promise.all(entries.sort().map((path) => describeEntry(folder, path)));
}

async function describeEntry(folder: string, path: string): Promise<string> {
  const full = join(folder, path);
  const stats = await lstat(full);
  if (stats.isDirectory()) return `dir  ${path}`;
  if (stats.isSymbolicLink()) return `link ${path} -> ${await readlink(full)}`;
  const hash = createHash("sha256")
    .update(await readFile(full))
    .digest("hex");
  return `${(stats.mode & 0o100) === 0 ? "file" : "exec"} ${path} ${stats.size} ${hash}`;
}
