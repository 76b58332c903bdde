import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { StillageError } from "../base/errors.ts";
import { stampFile } from "../store/disk/format-stamp.ts";
import { actionResults } from "./action-results.ts";
import { assets } from "./assets.ts";
import { archivePlace, type BlobPlace, casPlace } from "./blob-place.ts";
import { entriesOf } from "./entries.ts";
import { artifacts, sources } from "./messages.ts";
import type { NameKind } from "./name-kind.ts";
import { ostreeRefs } from "./ostree-refs.ts";
import { isArchiveRepository } from "./ostree-repository.ts";
import { references } from "./references.ts";

/** Everything by which an old server may call content, in the order in which it is taken. */
const nameKinds: readonly NameKind[] = [references, artifacts, sources, assets, actionResults, ostreeRefs];

/** Whose directory something is. */
export type Layout = "bst1" | "bst1.9" | "casd" | "ostree" | "blobs";

const titles: Readonly<Record<Layout, string>> = {
  bst1: "bst-artifact-server of BuildStream 1.1.4 to 1.6",
  "bst1.9": "bst-artifact-server of BuildStream 1.91 to 1.93",
  casd: "buildbox-casd, by itself or below BuildStream 2's server",
  ostree: "an OSTree repository, as bst-artifact-receive of BuildStream 1.0 to 1.1.3 has",
  blobs: "blobs without any names",
};

/** The directory of another server. */
export interface OldCache {
  readonly directory: string;
  /** Several where one server came after another. */
  readonly layouts: readonly Layout[];
  /** Where the blobs are. May be absent. */
  readonly places: readonly BlobPlace[];
  /** The kinds of names that are there. */
  readonly names: readonly NameKind[];
}

/** For people. */
export function showLayouts({ layouts }: OldCache): string {
  return layouts.map((layout) => titles[layout]).join("; ");
}

/** Finds out whose directory this is. Errors: `failed-precondition` for one that none of the known servers has made; those of `isArchiveRepository`. */
export function recognize(path: string): OldCache {
  const directory = resolve(path);
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new StillageError("failed-precondition", `${directory} is not a directory`);
  }
  const places = [casPlace(directory)];
  const isArchive = isArchiveRepository(directory);
  if (isArchive) places.push(archivePlace(directory));
  const names = nameKinds.filter(
    ({ layout, folder }) => (layout !== "ostree" || isArchive) && holdsFiles(join(directory, folder)),
  );
  if (names.length === 0 && !places.some(({ folder }) => holdsFiles(folder))) throw unknown(directory);
  const found = new Set(names.map(({ layout }) => layout));
  if (isArchive) found.add("ostree");
  return { directory, layouts: found.size > 0 ? [...found] : ["blobs"], places, names };
}

function unknown(directory: string): StillageError {
  const folders = ["cas/objects", ...nameKinds.map(({ folder }) => folder)];
  return new StillageError(
    "failed-precondition",
    `${directory} is not the directory of a cache server known here: it has none of ${folders.join(", ")} with something in it`,
    { hint: hintFor(directory) },
  );
}

function hintFor(directory: string): string {
  const has = (...names: string[]): boolean => names.every((name) => existsSync(join(directory, name)));
  if (has(stampFile)) return "it is a store of Stillage already: serve it";
  if (has("objects", "refs", "config")) return "it is an OSTree repository with nothing in it";
  if (has("objects")) return "name the directory above: the one that the old server was started with";
  return "name the directory that the old server was started with";
}

/** Whether there is a file anywhere below: servers make their folders before they have anything to put there. */
function holdsFiles(folder: string, depth = 0): boolean {
  const entries = entriesOf(folder);
  if (entries.some((entry) => entry.isFile())) return true;
  return depth < 4 && entries.some((entry) => entry.isDirectory() && holdsFiles(join(folder, entry.name), depth + 1));
}
