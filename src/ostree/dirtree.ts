import { StillageError } from "../base/errors.ts";
import { widthFor, widthIn } from "../base/gvariant/offset-width.ts";
import { Sink } from "../base/gvariant/sink.ts";
import { notNormal, Source } from "../base/gvariant/source.ts";
import { type DirEntry, readEntries, writeEntries } from "./dirtree-entries.ts";
import { checkMetadataSize, reading } from "./metadata-limit.ts";
import { checkName, compareNames, firstOutOfOrder } from "./names.ts";
import type { Checksum } from "./object-name.ts";

/** A file or symbolic link in a directory, and the checksum of its file object. */
export interface TreeFile {
  readonly name: string;
  readonly checksum: Checksum;
}

/** A directory in a directory: the checksums of its dirtree and its dirmeta. */
export interface TreeDirectory {
  readonly name: string;
  readonly tree: Checksum;
  readonly meta: Checksum;
}

/** What is in a directory, each list in the order of `compareNames`. */
export interface DirTree {
  readonly files: readonly TreeFile[];
  readonly directories: readonly TreeDirectory[];
}

// A dirtree is an `(a(say)a(sayay))` and can have 200,000 entries: it is read and written here without the values in between.

/** Errors: `invalid`, also for names that no file can have, stand twice or are not in order. */
export function decodeDirTree(bytes: Uint8Array): DirTree {
  checkMetadataSize("dirtree", bytes);
  return reading("dirtree", () => {
    const size = bytes.length;
    const width = widthIn(size);
    const body = size - width;
    // GLib takes no bytes at all for an empty one, too; an empty dirtree is one zero byte.
    if (body < 0) notNormal("it has no bytes");
    if (widthFor(body, 1) !== width) notNormal("offsets are wider than they need be");
    const source = new Source(bytes, true);
    const split = source.offset(body, width);
    if (split > body) notNormal("its files end outside it");
    const files = readEntries(source, 0, split, 1).map(({ name, sums: [checksum = ""] }) => ({ name, checksum }));
    const directories = readEntries(source, split, body, 2).map(toDirectory);
    checkNames(files, directories);
    return { files, directories };
  });
}

function toDirectory({ name, sums: [tree = "", meta = ""] }: DirEntry): TreeDirectory {
  return { name, tree, meta };
}

/** Writes a directory, sorting it. Errors: `invalid` for names that no file can have or that stand twice, and for more than 10 MiB. */
export function encodeDirTree({ files, directories }: DirTree): Uint8Array<ArrayBuffer> {
  const sortedFiles = sorted(files);
  const sortedDirectories = sorted(directories);
  checkNames(sortedFiles, sortedDirectories);
  const sink = new Sink(true);
  writeEntries(
    sink,
    sortedFiles.map(({ name, checksum }) => ({ name, sums: [checksum] })),
  );
  const split = sink.at;
  writeEntries(
    sink,
    sortedDirectories.map(({ name, tree, meta }) => ({ name, sums: [tree, meta] })),
  );
  sink.offsets([split], widthFor(sink.at, 1));
  const bytes = sink.finish();
  checkMetadataSize("dirtree", bytes);
  return bytes;
}

function sorted<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  return firstOutOfOrder(entries) === undefined ? entries : entries.toSorted((a, b) => compareNames(a.name, b.name));
}

function checkNames(files: readonly TreeFile[], directories: readonly TreeDirectory[]): void {
  for (const { name } of files) checkName(name);
  for (const { name } of directories) checkName(name);
  const wrong = firstOutOfOrder(files) ?? firstOutOfOrder(directories) ?? firstInBoth(files, directories);
  if (wrong === undefined) return;
  throw new StillageError("invalid", `the name ${JSON.stringify(wrong.slice(0, 300))} stands twice or is not in order`);
}

/** The first name that two sorted lists share. */
function firstInBoth(files: readonly TreeFile[], directories: readonly TreeDirectory[]): string | undefined {
  let i = 0;
  for (const { name } of directories) {
    let order = -1;
    while (i < files.length) {
      order = compareNames(files[i]?.name ?? "", name);
      if (order >= 0) break;
      i++;
    }
    if (order === 0) return name;
  }
  return undefined;
}
