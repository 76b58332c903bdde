import { Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import type { ArchiveEntry } from "../../base/tar/archive-entry.ts";
import { badArchive, showBytes } from "../../base/tar/archive-error.ts";
import type { Blob } from "../../store/blob-store.ts";
import { blobRange } from "./blob-range.ts";
import { through } from "./decompress.ts";
import { readZipDirectory, type ZipRecord } from "./zip-directory.ts";

const localSignature = 0x04034b50;
const localBytes = 30;

const encrypted = 0x0041;
const stored = 0;
const deflated = 8;

/** The parts of a mode (stat(2)). */
const typeMask = 0o170000;
const regular = 0o100000;
const directory = 0o040000;
const link = 0o120000;
const ownerMayExecute = 0o100;

/** Longer than any path that a link can hold. */
const maxTargetBytes = 4096;

/**
 * The entries of a zip archive, as its central directory lists them: what the headers before the content say otherwise does not count.
 * Errors: `failed-precondition` for what is broken, encrypted, compressed by other methods than deflate, or neither file, directory nor link.
 */
export async function* readZip(blob: Blob, signal: AbortSignal): AsyncGenerator<ArchiveEntry> {
  for await (const record of readZipDirectory(blob, signal)) {
    const { name: path, mode, size } = record;
    if (path.includes(0x5c))
      throw badArchive(`the name ${showBytes(path)} has a backslash, which some take for a slash`);
    const type = mode & typeMask;
    if (path.at(-1) === 0x2f || type === directory) {
      yield { path, kind: "directory" };
    } else if (type === link) {
      if (size > maxTargetBytes) throw badArchive(`the link ${showBytes(path)} points too far`);
      const target: Uint8Array[] = [];
      for await (const piece of contentOf(blob, record, signal)) target.push(piece);
      yield { path, kind: "symlink", target: Buffer.concat(target) };
    } else if (type === 0 || type === regular) {
      const executable = (mode & ownerMayExecute) !== 0;
      yield { path, kind: "file", size, executable, content: () => contentOf(blob, record, signal) };
    } else throw badArchive(`${showBytes(path)} is a device or a pipe`);
  }
}

/** An entry's bytes, checked against its size and its sum. */
async function* contentOf(blob: Blob, record: ZipRecord, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { name, method, size, crc } = record;
  if ((record.flags & encrypted) !== 0) throw badArchive(`${showBytes(name)} is encrypted`);
  if (method !== stored && method !== deflated) {
    throw badArchive(`${showBytes(name)} is compressed by method ${method}; only deflate is read`);
  }
  const raw = blobRange(blob, ...(await rangeOf(blob, record)), signal);
  let left = size;
  let sum = 0;
  for await (const piece of method === stored ? raw : through(Readable.from(raw), createInflateRaw(), signal)) {
    left -= piece.length;
    if (left < 0) break;
    sum = crc32(piece, sum);
    yield piece;
  }
  if (left !== 0 || sum !== crc) throw badArchive(`${showBytes(name)} is not what the archive says of it`);
}

/** Where the compressed bytes are: behind the local header, whose length only it tells. */
async function rangeOf(blob: Blob, { offset, compressedSize, name }: ZipRecord): Promise<[start: number, end: number]> {
  const header = Buffer.alloc(localBytes);
  if (offset + localBytes <= blob.digest.size) await blob.read(header, offset);
  const start = offset + localBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (header.readUInt32LE(0) !== localSignature || start + compressedSize > blob.digest.size) {
    throw badArchive(`${showBytes(name)} is not where the archive says`);
  }
  return [start, start + compressedSize];
}
