import { deflateRawSync } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import { ExactInflate } from "../base/exact-inflate.ts";
import type { SyncHash } from "../base/hash.ts";
import {
  type FileHeader,
  type FilezHead,
  fileChecksum,
  filezHead,
  isSymlink,
  parseFilezHead,
} from "../base/ostree-file.ts";
import { wholeHead } from "../base/ostree-hash.ts";
import type { Checksum } from "./object-name.ts";

/** How hard deflate tries, 0 (not at all) to 9. */
export type DeflateLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** The `.filez` of content at hand. A link has none. Errors: `invalid`. */
export function encodeFilez(header: FileHeader, content: Uint8Array, level: DeflateLevel = 6): Uint8Array {
  const head = filezHead(header, content.length);
  return isSymlink(header) ? head : Buffer.concat([head, deflateRawSync(content, { level })]);
}

/** The checksum of a file or link. */
export function checksumOfFile(header: FileHeader, content: Uint8Array): Checksum {
  const hash = fileChecksum(header);
  hash.update(content);
  return hash.digest("hex");
}

/** Deflated bytes that are inflated at a time. They become a thousand times as many at worst, which is what a reader holds. */
const bite = 16 * 1024;

export interface OpenFilez {
  readonly header: FileHeader;
  /** Bytes of the content. */
  readonly size: number;
  /**
   * The plain content, to be read to its end, which is where it fails if the object is not whole or has another checksum than was given.
   * Errors: `invalid`.
   */
  readonly content: AsyncGenerator<Uint8Array>;
  /** Frees the source, where the content is not read. */
  close(): Promise<void>;
}

/** Reads a `.filez`. With `checksum`, the content is verified as it is read. Errors: `invalid`, and those of the source. */
export async function readFilez(source: AsyncIterable<Uint8Array>, checksum?: Checksum): Promise<OpenFilez> {
  const pieces = source[Symbol.asyncIterator]();
  try {
    const { head, rest } = await readHead(pieces);
    const hash = checksum === undefined ? undefined : fileChecksum(head.header);
    const content = verified(contentOf(head, rest, pieces, hash), pieces, hash, checksum);
    const close = async () => {
      await content.return(undefined);
      await pieces.return?.(); // a generator that was not begun does not clean up
    };
    return { header: head.header, size: head.size, content, close };
  } catch (error) {
    await pieces.return?.();
    throw error;
  }
}

/** Reads as far as the header goes, and gives what came behind it. */
async function readHead(pieces: AsyncIterator<Uint8Array>): Promise<{ head: FilezHead; rest: Uint8Array }> {
  const gathered: Uint8Array[] = [];
  let length = 0;
  let enough = 0;
  for (;;) {
    const { done, value } = await pieces.next();
    if (!done) {
      gathered.push(value);
      length += value.length;
      if (length < enough) continue;
    }
    const bytes = gathered.length === 1 ? (gathered[0] as Uint8Array) : Buffer.concat(gathered);
    const head = done ? wholeHead(bytes) : parseFilezHead(bytes);
    if (head !== undefined) return { head, rest: bytes.subarray(head.headLength) };
    enough = 2 * length; // joined anew for every piece, a large header would be copied again and again
  }
}

async function* contentOf(
  { header, size }: FilezHead,
  rest: Uint8Array,
  pieces: AsyncIterator<Uint8Array>,
  hash: SyncHash | undefined,
): AsyncGenerator<Uint8Array> {
  if (isSymlink(header)) {
    for await (const piece of following(rest, pieces)) {
      if (piece.length > 0) throw new StillageError("invalid", "a symbolic link has no content");
    }
    return;
  }
  const ready: Buffer[] = [];
  const stream = new ExactInflate(size, (plain) => {
    hash?.update(plain);
    ready.push(plain);
  });
  try {
    for await (const piece of following(rest, pieces)) {
      for (let at = 0; at < piece.length; at += bite) {
        await stream.write(piece.subarray(at, at + bite));
        yield* ready.splice(0);
      }
    }
    await stream.end();
    yield* ready.splice(0);
  } finally {
    stream.close();
  }
}

async function* following(rest: Uint8Array, pieces: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield rest;
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return;
    yield value;
  }
}

async function* verified(
  content: AsyncGenerator<Uint8Array>,
  pieces: AsyncIterator<Uint8Array>,
  hash: SyncHash | undefined,
  checksum: Checksum | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
    if (hash !== undefined && hash.digest("hex") !== checksum) {
      throw new StillageError("invalid", `the file object is not ${checksum}, as it is named`);
    }
  } finally {
    await pieces.return?.();
  }
}
