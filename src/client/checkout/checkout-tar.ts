import { randomBytes } from "node:crypto";
import { closeSync, constants, existsSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import type { FileContents } from "../reading/file-contents.ts";
import type { WholeTree } from "../reading/whole-tree.ts";
import { type TarOptions, tarOfTree } from "./tree-tar.ts";

export const compressions = ["gz"] as const;
export type Compression = (typeof compressions)[number];

/** Endings by which BuildStream tells how an archive is compressed, and those of zstd, of which it knows nothing. */
const endings: Readonly<Record<string, Compression | "xz" | "bz2" | "zstd">> = {
  ".gz": "gz",
  ".tgz": "gz",
  ".xz": "xz",
  ".txz": "xz",
  ".bz2": "bz2",
  ".tbz2": "bz2",
  ".zst": "zstd",
  ".tzst": "zstd",
};

/** Of archives that are none of tar. */
const noTar = /\.(?:zip|7z|rar|jar|cpio|iso|cab)$/i;

/** How an archive of this name is compressed: as is said, or else as its name ends. Errors: `unsupported` for xz, bzip2 and zstd; `invalid` for the name of another kind of archive. */
export function compressionOf(path: string, said: Compression | undefined): Compression | undefined {
  if (noTar.test(path)) {
    throw new StillageError("invalid", `${path} would be a tar archive, whatever its name says`, {
      hint: "name a file that ends in .tar or .tar.gz, or check out to a directory and pack that",
    });
  }
  if (said !== undefined) return said;
  const ending = /\.[a-z0-9]+$/.exec(path)?.[0] ?? "";
  const found = endings[ending];
  if (found === undefined || found === "gz") return found;
  throw new StillageError("unsupported", `archives are not compressed with ${found}`, {
    hint: `pipe one through it: --tar - | ${found === "bz2" ? "bzip2" : found} > ${path}`,
  });
}

/** The archive of a tree, compressed or not; the same bytes each time. Errors: those of the contents. */
export async function* compressedTar(
  tree: WholeTree,
  files: FileContents,
  compression: Compression | undefined,
  options: TarOptions,
): AsyncGenerator<Uint8Array> {
  const tar = tarOfTree(tree, files, options);
  if (compression === undefined) {
    yield* tar;
    return;
  }
  // Without a time or name in its head.
  const source = Readable.from(tar, { objectMode: false });
  const gzip = createGzip();
  source.once("error", (error) => gzip.destroy(error));
  try {
    yield* source.pipe(gzip);
  } finally {
    source.destroy();
    gzip.destroy();
  }
}

/**
 * Writes an archive to a file: beside it, under a name that ends in `.part`, and then under its own. A crash leaves such a file, and the one of that name as it was. Errors: `exists`
 * without `force`; `exhausted` for a full disk; those of the contents.
 */
export async function writeArchive(path: string, archive: AsyncIterable<Uint8Array>, force: boolean): Promise<void> {
  const target = resolve(path);
  checkTarget(target, force);
  const part = `${target}.${randomBytes(6).toString("hex")}.part`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const file = openSync(part, flags, 0o666);
    try {
      for await (const piece of archive) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    } finally {
      closeSync(file);
    }
    if (force) renameSync(part, target);
    else publish(part, target);
  } catch (error) {
    throw fromFileSystem(error, `writing ${target}`);
  } finally {
    rmSync(part, { force: true });
  }
}

/** What is no file, such as a device, is not replaced by one. Errors: `exists`. */
function checkTarget(path: string, force: boolean): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined || (force && there.isFile())) return;
  if (there.isFile()) throw alreadyThere(path);
  throw new StillageError("exists", `${path} is there, and is no file`, { hint: "--tar - writes to standard output" });
}

/** Gives a file a name that nothing has. */
function publish(part: string, target: string): void {
  try {
    linkSync(part, target);
  } catch (error) {
    // Some file systems have no links.
    if ((error as NodeJS.ErrnoException).code === "EEXIST" || existsSync(target)) throw alreadyThere(target);
    renameSync(part, target);
  }
}

function alreadyThere(path: string): StillageError {
  return new StillageError("exists", `${path} is there already`, { hint: "--force replaces it" });
}
