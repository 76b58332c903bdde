import { readSync } from "node:fs";
import { StillageError } from "../../base/errors.ts";
import { Slices } from "../../base/slices.ts";
import { type PaxRecords, parsePaxRecords } from "../../base/tar/pax-records.ts";
import { blockBytes, isZero, padded, parseTarHeader, upToZero } from "../../base/tar/tar-header.ts";
import { checkSignal } from "./cache-failure.ts";
import { memberAt, type Shelf } from "./tar-members.ts";

/** Bytes that lie somewhere in a file. */
export interface Extent {
  readonly fd: number;
  readonly offset: number;
  readonly size: number;
}

/** What an archive has, or will have: objects by their hash, refs by `PROJECT/ELEMENT/KEY`. */
export interface TarShelf {
  readonly objects: Map<string, Extent>;
  readonly refs: Map<string, Extent>;
}
export type TarContents = Readonly<Record<Shelf, TarShelf>>;

/** Of an archive with nothing in it. */
export function noContents(): TarContents {
  const shelf = (): TarShelf => ({ objects: new Map(), refs: new Map() });
  return { "of 2": shelf(), "of 1": shelf() };
}

/** Entries of an archive, at some 200 bytes of memory each: more than any cache of a project has objects. */
const maxEntries = 4_000_000;

/** Names and extended headers are held whole; honest ones have some hundred bytes. */
const maxMetaBytes = 1 << 20;

/** Where entries are small, one read gives many of their headers. */
const windowBytes = 256 << 10;

const fileTypes: ReadonlySet<string> = new Set(["0", "7"]);

/**
 * Finds what lies in the archive of `size` bytes that `fd` has open, by its headers alone: contents are stepped over. Of two entries of one path the
 * latter counts, as it does for programs that unpack; a hard link is what it leads to, because BuildStream links the keys of an artifact to one another; entries
 * that have no place in a cache are left aside. Errors: `failed-precondition` for what is no archive or breaks off, `exhausted` for too many entries.
 */
export async function readTarContents(fd: number, size: number, signal: AbortSignal): Promise<TarContents> {
  const contents = noContents();
  const window = new Window(fd, size);
  const slices = new Slices();
  let pax: PaxRecords = {};
  let longPath: Uint8Array | undefined;
  let longLink: Uint8Array | undefined;
  let entries = 0;
  for (let at = 0; ; ) {
    if (slices.over) {
      await slices.rest();
      checkSignal(signal);
    }
    if (++entries > maxEntries) throw new StillageError("exhausted", `it has more than ${maxEntries} entries`);
    const block = window.bytes(at, blockBytes);
    if (isZero(block)) return contents;
    const header = parseTarHeader(block);
    const begin = at + blockBytes;
    const isMeta = "xgLK".includes(header.type);
    const length = isMeta ? header.size : (pax.size ?? header.size);
    if (length > size - begin) throw brokenOff();
    at = begin + padded(length);
    if (isMeta) {
      if (length > maxMetaBytes)
        throw new StillageError("failed-precondition", "a name or an extended header is too long");
      const bytes = window.bytes(begin, length);
      if (header.type === "x") pax = { ...pax, ...parsePaxRecords(bytes) };
      else if (header.type === "L") longPath = new Uint8Array(upToZero(bytes));
      else if (header.type === "K") longLink = new Uint8Array(upToZero(bytes));
      continue;
    }
    const member = memberAt(textOf(pax.path ?? longPath ?? header.path));
    if (member !== undefined) {
      const link = header.type === "1" ? memberAt(textOf(pax.linkpath ?? longLink ?? header.link)) : undefined;
      const extent = fileTypes.has(header.type)
        ? { fd, offset: begin, size: length }
        : link && extentOf(contents, link);
      if (extent !== undefined) put(contents, member, extent);
    }
    [pax, longPath, longLink] = [{}, undefined, undefined];
  }
}

type Member = Exclude<ReturnType<typeof memberAt>, undefined>;

function extentOf(contents: TarContents, member: Member): Extent | undefined {
  const shelf = contents[member.shelf];
  return member.kind === "object" ? shelf.objects.get(member.hash) : shelf.refs.get(member.path);
}

function put(contents: TarContents, member: Member, extent: Extent): void {
  const shelf = contents[member.shelf];
  if (member.kind === "object") shelf.objects.set(member.hash, extent);
  else shelf.refs.set(member.path, extent);
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();

function brokenOff(): StillageError {
  return new StillageError("failed-precondition", "it breaks off");
}

/** Reads a file from its beginning to its end in large pieces, of which small ones are asked for. */
class Window {
  private readonly fd: number;
  private readonly size: number;
  private readonly buffer = Buffer.allocUnsafe(windowBytes);
  private begin = 0;
  private end = 0;

  constructor(fd: number, size: number) {
    this.fd = fd;
    this.size = size;
  }

  /** Valid until the next call. */
  bytes(at: number, length: number): Uint8Array {
    if (at + length > this.size) throw brokenOff();
    if (length > this.buffer.length) {
      const large = Buffer.alloc(length);
      return large.subarray(0, readFullySync(this.fd, large, at));
    }
    if (at < this.begin || at + length > this.end) {
      this.begin = at;
      this.end = at + readFullySync(this.fd, this.buffer.subarray(0, Math.min(windowBytes, this.size - at)), at);
      if (at + length > this.end) throw brokenOff();
    }
    return this.buffer.subarray(at - this.begin, at - this.begin + length);
  }
}

/** Fills `buffer` from `position` on and gives the bytes read: fewer only at the file's end. */
export function readFullySync(fd: number, buffer: Uint8Array, position: number): number {
  let filled = 0;
  for (let count = 1; count > 0 && filled < buffer.length; filled += count) {
    count = readSync(fd, buffer, filled, buffer.length - filled, position + filled);
  }
  return filled;
}
