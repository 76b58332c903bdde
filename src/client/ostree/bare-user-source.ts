import { readFileSync, statSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createDeflateRaw } from "node:zlib";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import type { SyncHash } from "../../base/hash.ts";
import { type FileHeader, fileChecksum, fileType, filezHead, isSymlink } from "../../base/ostree-file.ts";
import { maxConfigBytes } from "../../ostree/archive/config-file.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import { fileContent } from "../../ostree/archive/file-content.ts";
import type { ObjectSource } from "../../ostree/archive/object-source.ts";
import { canonicalLink } from "../../ostree/canonical-mode.ts";
import { type Checksum, parseObjectPath } from "../../ostree/object-name.ts";

/** Deflate that costs little: what it makes is inflated at once, or goes to a cache near by. */
const level = 1;

/** Bytes of a link's target with what ends it: Linux takes no longer ones. */
const maxTarget = 4097;

/** Of files up to here every mode there is is tried. */
const maxGuessed = 64 << 10;

/** Modes that files have, the commonest first. */
const usualModes = [
  ...[0o644, 0o755, 0o600, 0o700, 0o664, 0o775, 0o666, 0o777, 0o444, 0o555, 0o640, 0o750, 0o400, 0o500, 0o440, 0o550],
  ...[0o711, 0o4755, 0o4711, 0o4555, 0o2755, 0o2711, 0o6755, 0o1777],
];

/** Whether a directory is a repository of mode `bare-user`: what BuildStream 1.0 has as its own cache. */
export function isBareUserRepository(directory: string): boolean {
  const config = join(directory, "config");
  try {
    if (!statSync(join(directory, "objects")).isDirectory()) return false;
    const stats = statSync(config);
    return (
      stats.isFile() && stats.size <= maxConfigBytes && /^mode\s*=\s*bare-user\s*$/m.test(readFileSync(config, "utf8"))
    );
  } catch {
    return false;
  }
}

/**
 * A repository of mode `bare-user` as one of mode `archive`, to be read. Its files lie there plain. What else counts of them, their owner, mode and attributes, or that they are links, is in an extended
 * attribute, which Node does not read: so it is what gives the checksum that the object is called by, among files and links of root without attributes, as BuildStream commits them.
 * Errors of `get` besides those of a directory: `unsupported` for files that others have committed with more than that.
 */
export function bareUserSource(directory: string): ObjectSource {
  const plain = directorySource(directory);
  return {
    async get(path, maxBytes) {
      const name = parseObjectPath(path);
      if (name?.type !== "file") return plain.get(path, maxBytes);
      const file = join(directory, path.replace(/filez$/, "file"));
      const header = await headerOf(name.checksum, file);
      return header && filezOf(header, file);
    },
  };
}

async function* filezOf(header: FileHeader, file: string): AsyncGenerator<Uint8Array> {
  if (isSymlink(header)) return yield filezHead(header, 0);
  const handle = await open(file).catch((error: unknown) => {
    throw fromFileSystem(error, `cannot read ${file}`);
  });
  try {
    yield filezHead(header, (await handle.stat()).size);
    const deflate = createDeflateRaw({ level });
    handle
      .createReadStream({ autoClose: false })
      .on("error", (error) => deflate.destroy(error))
      .pipe(deflate);
    yield* deflate as AsyncIterable<Uint8Array>;
  } finally {
    await handle.close();
  }
}

/** What is to be said of a file; `undefined` where it is not there. */
async function headerOf(checksum: Checksum, file: string): Promise<FileHeader | undefined> {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile()) return undefined;
  const asItLies = fileOf(stats.mode & 0o7777);
  const first = await firstWith(checksum, file, [asItLies]);
  if (first !== undefined) return first;
  const links = stats.size > 0 && stats.size <= maxTarget ? linkTo(await readFile(file)) : [];
  for (const header of links) if (fileChecksum(header).digest("hex") === checksum) return header;
  const second = await firstWith(checksum, file, usualModes.map(fileOf));
  if (second !== undefined) return second;
  if (stats.size <= maxGuessed) {
    const third = await firstWith(
      checksum,
      file,
      Array.from({ length: 0o10000 }, (_, mode) => fileOf(mode)),
    );
    if (third !== undefined) return third;
  }
  throw new StillageError("unsupported", `what kind of file ${checksum} is cannot be found out`, {
    hint: "it is not one of BuildStream's: `ostree pull-local` brings it into a repository of mode archive",
  });
}

/** The first header with which a file's content has the checksum, read once for all of them. */
async function firstWith(
  checksum: Checksum,
  file: string,
  headers: readonly FileHeader[],
): Promise<FileHeader | undefined> {
  const hashes: SyncHash[] = headers.map(fileChecksum);
  for await (const piece of fileContent(file)) for (const hash of hashes) hash.update(piece);
  return headers[hashes.findIndex((hash) => hash.digest("hex") === checksum)];
}

function fileOf(mode: number): FileHeader {
  return { uid: 0, gid: 0, mode: fileType | mode, symlink: "", xattrs: [] };
}

/** A link lies there as a file with its target, which ends with NUL in newer releases. */
function linkTo(content: Buffer): FileHeader[] {
  const target = content.at(-1) === 0 ? content.subarray(0, -1) : content;
  const text = target.toString();
  return text === "" || text.includes("\0") || !Buffer.from(text).equals(target) ? [] : [canonicalLink(text)];
}
