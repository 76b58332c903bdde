import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type DigestFunction, storedFunctionOfName } from "../base/digest-function.ts";
import { parseName } from "../store/disk/file-paths.ts";
import { newEnding } from "../store/disk/index-rewrite.ts";
import { numberIn } from "../store/disk/pack.ts";
import { tenantOfDirectory } from "../store/disk/tenant-name.ts";

/** The blobs of one tenant and function: `path` is their directory, seen from the store's or a backup's. */
export interface ShelfPlace {
  readonly path: string;
  readonly function: DigestFunction;
}

export const refsFile = "refs.sqlite";

/** How the names end in a backup of what is not whole yet. */
export const partEnding = ".part";

/** The journal of a shelf's large blobs. */
export const journalOf = (shelf: ShelfPlace): string => join(shelf.path, "files.idx");

/** The shelves in a directory, in order. */
export function shelvesIn(directory: string): ShelfPlace[] {
  return namesIn(join(directory, "tenants"))
    .filter((name) => tenantOfDirectory(name) !== undefined)
    .flatMap((tenant) =>
      namesIn(join(directory, "tenants", tenant)).flatMap((name) => {
        const fn = storedFunctionOfName(name);
        return fn === undefined ? [] : [{ path: join("tenants", tenant, name), function: fn }];
      }),
    );
}

/** The packs of a shelf, by their paths as seen from the directory. */
export function packsIn(directory: string, { path }: ShelfPlace): string[] {
  const names = namesIn(join(directory, path, "packs")).filter((name) => numberIn(name)?.isPack);
  return names.map((name) => join(path, "packs", name));
}

/** The large blobs of a shelf, a directory of them at a time, by their paths as seen from the directory. */
export function* filesIn(directory: string, { path, function: fn }: ShelfPlace): Generator<string[], void> {
  for (const part of namesIn(join(directory, path, "files"))) {
    if (!/^[0-9a-f]{2}$/.test(part)) continue;
    const names = namesIn(join(directory, path, "files", part));
    yield names
      .filter((name) => parseName(name, fn.hexLength) !== undefined)
      .map((name) => join(path, "files", part, name));
  }
}

/** What a run that was killed has left of files that it copied. */
export function partsIn(directory: string, { path }: ShelfPlace): string[] {
  const folders = [
    path,
    join(path, "packs"),
    ...namesIn(join(directory, path, "files")).map((part) => join(path, "files", part)),
  ];
  return folders.flatMap((folder) =>
    namesIn(join(directory, folder))
      .filter((name) => name.endsWith(partEnding) || name.endsWith(newEnding))
      .map((name) => join(folder, name)),
  );
}

/** The index file of a pack. */
export function indexOf(pack: string): string {
  return pack.replace(/\.pack$/, ".idx");
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}
