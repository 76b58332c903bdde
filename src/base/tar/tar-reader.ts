import type { ArchiveEntry } from "./archive-entry.ts";
import { badArchive, showBytes } from "./archive-error.ts";
import type { ByteSource } from "./byte-source.ts";
import { type PaxRecords, parsePaxRecords } from "./pax-records.ts";
import { blockBytes, isZero, padded, parseTarHeader, type TarHeader, upToZero } from "./tar-header.ts";

/** Names and extended headers are held whole; honest ones have some hundred bytes. */
const maxMetaBytes = 1 << 20;

const ownerMayExecute = 0o100;

export interface TarReading {
  /** An archive that ends without the mark of its end has broken off, also where that is between two entries. */
  readonly marked?: boolean;
}

/**
 * The entries of a tar archive: of POSIX (ustar, pax), GNU and older programs. Reads to the end of the stream behind the archive's end.
 * Errors: `failed-precondition` for what is broken, and for what has no place in a directory of the cache: devices, pipes, sparse files,
 * archives of several volumes.
 */
export async function* readTar(source: ByteSource, { marked = false }: TarReading = {}): AsyncGenerator<ArchiveEntry> {
  let pax: PaxRecords = {};
  let longPath: Uint8Array | undefined;
  let longLink: Uint8Array | undefined;
  for (;;) {
    const block = await source.take(blockBytes);
    if (block === undefined && marked) throw badArchive("it breaks off");
    if (block === undefined) break;
    if (isZero(block)) break; // one is enough for every program that reads
    const header = parseTarHeader(block);
    if (header.type === "x") pax = { ...pax, ...parsePaxRecords(await takeMeta(source, header)) };
    else if (header.type === "g") {
      if (Object.keys(parsePaxRecords(await takeMeta(source, header))).length > 0) {
        throw badArchive("a global header gives all entries one path or size");
      }
    } else if (header.type === "L") longPath = upToZero(await takeMeta(source, header));
    else if (header.type === "K") longLink = upToZero(await takeMeta(source, header));
    else if (header.type === "V") {
      await source.skip(padded(pax.size ?? header.size)); // the volume's label
      pax = {};
    } else {
      const path = pax.path ?? longPath ?? header.path;
      const target = pax.linkpath ?? longLink ?? header.link;
      yield* readEntry(source, { ...header, path, link: target, size: pax.size ?? header.size });
      [pax, longPath, longLink] = [{}, undefined, undefined];
    }
  }
  await source.drain();
}

async function* readEntry(source: ByteSource, header: TarHeader): AsyncGenerator<ArchiveEntry> {
  const { path, link: target, size, mode, type } = header;
  // Before there was a type for them, directories were files whose names end in a slash.
  if (type === "5" || ((type === "0" || type === "7") && path.at(-1) === 0x2f)) {
    if (type !== "5") await source.skip(padded(size));
    yield { path, kind: "directory" };
  } else if (type === "0" || type === "7") {
    let read = false;
    const content = (): AsyncIterable<Uint8Array> => {
      read = true;
      return source.pieces(size);
    };
    yield { path, kind: "file", size, executable: (mode & ownerMayExecute) !== 0, content };
    await source.skip(padded(size) - (read ? size : 0));
  } else if (type === "2") yield { path, kind: "symlink", target };
  else if (type === "1") {
    if (size !== 0) throw badArchive(`the hard link ${showBytes(path)} has content`); // or has not: programs differ
    yield { path, kind: "hard link", target };
  } else throw badArchive(`${showBytes(path)} is ${kinds[type] ?? `of the unknown type ${JSON.stringify(type)}`}`);
}

const kinds: Readonly<Record<string, string>> = {
  "3": "a character device",
  "4": "a block device",
  "6": "a named pipe",
  S: "a sparse file",
  M: "the rest of a file in another volume",
};

async function takeMeta(source: ByteSource, { size }: TarHeader): Promise<Uint8Array> {
  if (size > maxMetaBytes) throw badArchive("a name or an extended header is too long");
  const bytes = size === 0 ? new Uint8Array(0) : new Uint8Array((await source.take(size)) ?? []);
  if (bytes.length < size) throw badArchive("it ends within a header");
  await source.skip(padded(size) - size);
  return bytes;
}
