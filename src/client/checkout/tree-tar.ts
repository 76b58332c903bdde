import { type TarEntry, tarEnd, tarHeader, tarPadding } from "../../base/tar/tar-writer.ts";
import { maxSmallBytes } from "../blob-place.ts";
import type { FileContents, FileEntry } from "../reading/file-contents.ts";
import { type PathEntry, treePaths } from "../reading/tree-paths.ts";
import type { WholeTree } from "../reading/whole-tree.ts";

/** All that is in an archive has one time, BuildStream's: 2011-11-11 11:11:11 UTC. */
const modified = 1_321_009_871;

/** Entries of which the content is asked for at once, and its bytes; two such groups are read ahead. */
const groupEntries = 2000;
const groupBytes = 4 << 20;
const readAhead = 2;

export interface TarOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
}

/** Entries that follow one another; one that is large is alone. */
type Group = readonly PathEntry[];

/**
 * The archive that `bst artifact checkout --tar` makes of a tree, byte for byte: the entries of each directory in the order of their names, in no directory of their own
 * (`./NAME`), all with one time, without owners. Errors: those of the contents.
 */
export async function* tarOfTree(
  tree: WholeTree,
  files: FileContents,
  { signal, onProgress }: TarOptions,
): AsyncGenerator<Uint8Array> {
  const groups = groupsOf(tree);
  const ahead: { readonly group: Group; readonly contents: Promise<Contents> }[] = [];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const begin = (): void => {
    const { value: group, done } = groups.next();
    if (done) return;
    const contents = readGroup(group, files, either);
    contents.catch(() => {}); // said when its turn comes
    ahead.push({ group, contents });
  };
  let length = 0;
  try {
    for (let i = 0; i < readAhead; i++) begin();
    for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
      const contents = await next.contents;
      begin();
      const pieces: Uint8Array[] = [];
      for (const { path, entry } of next.group) {
        pieces.push(tarHeader(tarEntry(path, entry)));
        if (entry.type !== "file") continue;
        if (entry.size <= maxSmallBytes) pieces.push(contents.get(entry) ?? new Uint8Array(0));
        else {
          yield* count(pieces.splice(0));
          for await (const piece of files.read(entry, signal)) {
            onProgress?.(0, piece.length);
            yield* count([piece]);
          }
        }
        pieces.push(tarPadding(entry.size));
        onProgress?.(1, entry.size <= maxSmallBytes ? entry.size : 0);
      }
      yield* count(pieces);
    }
    yield tarEnd(length);
  } finally {
    stop.abort();
  }

  function* count(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
    const bytes = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
    length += bytes.length;
    if (bytes.length > 0) yield bytes;
  }
}

type Contents = ReadonlyMap<FileEntry, Uint8Array>;

async function readGroup(group: Group, files: FileContents, signal: AbortSignal): Promise<Contents> {
  const contents = new Map<FileEntry, Uint8Array>();
  const small = group.flatMap(({ entry }) =>
    entry.type === "file" && entry.size > 0 && entry.size <= maxSmallBytes ? [entry] : [],
  );
  const take = (entry: FileEntry, bytes: Uint8Array): void => {
    contents.set(entry, bytes);
  };
  if (small.length > 0) await files.readMany(small, take, signal);
  return contents;
}

function* groupsOf(tree: WholeTree): Generator<Group, void> {
  let group: PathEntry[] = [];
  let bytes = 0;
  for (const each of treePaths(tree)) {
    group.push(each);
    if (each.entry.type === "file" && each.entry.size <= maxSmallBytes) bytes += each.entry.size;
    if (group.length < groupEntries && bytes < groupBytes) continue;
    yield group;
    [group, bytes] = [[], 0];
  }
  if (group.length > 0) yield group;
}

function tarEntry(path: string, entry: PathEntry["entry"]): TarEntry {
  const common = { path: `./${path}`, modified, size: 0 };
  if (entry.type === "directory") return { ...common, path: `./${path}/`, kind: "directory", mode: 0o755 };
  if (entry.type === "symlink") return { ...common, kind: "symlink", mode: 0o777, target: entry.target };
  return { ...common, kind: "file", mode: entry.executable ? 0o755 : 0o644, size: entry.size };
}
