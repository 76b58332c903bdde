import type { TreeName } from "../../artifact/artifact-content.ts";
import { formatOf } from "../../artifact/tree-format.ts";
import { listTree, type TreeEntry } from "../../artifact/tree-listing.ts";
import { StillageError } from "../../base/errors.ts";
import { type OpenArtifact, treeOf } from "./open-artifact.ts";
import { type PathEntry, treePaths } from "./tree-paths.ts";

/** Entries that are given at a time. */
const pageSize = 1000;

/**
 * All that is in a tree of an artifact, a page at a time; nothing where it has no such tree. Of one that is not whole, what is there, with what is wrong with the rest.
 * Errors: those of the place.
 */
export async function* treeEntries(
  open: OpenArtifact,
  name: TreeName,
  signal: AbortSignal,
): AsyncGenerator<readonly TreeEntry[]> {
  const root = (await open.content()).trees[name];
  if (root === undefined) return;
  const tree = await treeOf(open, name, signal).catch(ifBroken);
  if (tree !== undefined) {
    let page: TreeEntry[] = [];
    for (const each of treePaths(tree)) {
      page.push(treeEntry(each));
      if (page.length < pageSize) continue;
      yield page;
      page = [];
    }
    yield page;
    return;
  }
  let cursor: string | undefined;
  do {
    const query = { path: "", recursive: true, limit: pageSize, cursor };
    const page = await listTree(open.reader, root, query, formatOf(open.artifact.generation)).catch(asCorrupt);
    yield page.items;
    cursor = page.next;
  } while (cursor !== undefined);
}

/** An entry as the API shows it. */
export function treeEntry({ path, entry }: PathEntry): TreeEntry {
  const { type } = entry;
  if (type === "symlink") return { path, type, target: entry.target };
  if (type === "directory") return { path, type, digest: entry.digest };
  const { digest, size, executable } = entry;
  return { path, type, digest, size, executable };
}

/** Nobody who asks for what a directory has in it has done anything wrong. */
function asCorrupt(error: unknown): never {
  if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
  throw new StillageError("corrupt", error.message, { cause: error });
}

function ifBroken(error: unknown): undefined {
  if (error instanceof StillageError && ["not-found", "invalid", "corrupt", "unsupported"].includes(error.code))
    return undefined;
  throw error;
}
