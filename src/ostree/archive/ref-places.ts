import { lstatSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import type { Checksum } from "../object-name.ts";
import { headsPath, type Ref } from "./ref-files.ts";

/**
 * Sees to it that the files of new refs can be written, before anything is decided: `ostree refs --delete` leaves empty directories, which go now.
 * Errors: `failed-precondition` where something is in the way that is no ref, or not one of those that these changes remove.
 */
export async function clearRefPlaces(
  repository: string,
  before: ReadonlyMap<string, Ref>,
  changes: ReadonlyMap<string, Checksum | undefined>,
): Promise<void> {
  const heads = join(repository, headsPath);
  const goes = (name: string): boolean => before.has(name) && changes.has(name) && changes.get(name) === undefined;
  for (const [name, commit] of changes) {
    if (commit === undefined) continue;
    const file = directoriesOf(name).find((above) => kindOf(join(heads, above)) === "file");
    if (file !== undefined && !goes(file)) throw inTheWay(name, file);
    if (file !== undefined || kindOf(join(heads, name)) !== "directory") continue;
    const left = (await removeEmpty(heads, name)).find((file) => !goes(file));
    if (left !== undefined) throw inTheWay(name, left);
  }
}

/** `a` and `a/b` of `a/b/c`. */
function directoriesOf(name: string): string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

function kindOf(path: string): "directory" | "file" | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats && (stats.isDirectory() ? "directory" : "file");
}

/** Removes a directory as far as nothing is in it, and gives the files that are. */
async function removeEmpty(heads: string, below: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(join(heads, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) files.push(...(await removeEmpty(heads, name)));
    else files.push(name);
  }
  if (files.length === 0) await rmdir(join(heads, below));
  return files;
}

function inTheWay(name: string, what: string): StillageError {
  return new StillageError("failed-precondition", `the ref ${name} cannot be written: ${what} is in its way`, {
    hint: `remove ${headsPath}/${what} from the repository: it is none of its refs`,
  });
}
