import type { Digest } from "../base/digest.ts";
import { ostree } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { type FileHeader, parseFilezHead } from "../base/ostree-file.ts";
import { plainContent, wholeHead } from "../base/ostree-hash.ts";
import { type OpenFilez, readFilez } from "../ostree/filez.ts";
import type { Blob, BlobReader } from "../store/blob-store.ts";
import { readMessage } from "./read-message.ts";

/** What a file object says of its file or link. */
export interface FileObject {
  /** Of the blob, which is a `.filez`. */
  readonly digest: Digest;
  readonly header: FileHeader;
  /** Bytes of the plain content. */
  readonly size: number;
}

/** Bytes that are read at first: the header of a file without attributes has 34, and that of a link its target, too. */
const firstBytes = 512;

/** Bytes that are read at a time. */
const pieceBytes = 64 << 10;

/** The file object of a checksum; `undefined` where it is not there. Errors: `invalid` for what is none. */
export async function readFileObject(blobs: BlobReader, checksum: string): Promise<FileObject | undefined> {
  const stored = await blobs.sizeOf(ostree, checksum);
  const blob = stored === undefined ? undefined : await blobs.open({ function: ostree, hash: checksum, size: stored });
  if (blob === undefined) return undefined;
  const { digest } = blob;
  try {
    for (let length = Math.min(firstBytes, digest.size); ; length = Math.min(2 * length, digest.size)) {
      const bytes = new Uint8Array(length);
      if (length > 0) await blob.read(bytes, 0);
      const head = length === digest.size ? wholeHead(bytes) : parseFilezHead(bytes);
      if (head !== undefined) return { digest, header: head.header, size: head.size };
    }
  } finally {
    blob.close();
  }
}

/**
 * The plain content of a file object that is a small one: of at most `limit` bytes, packed in not many more. `undefined` where it is not there.
 * Errors: `invalid` for what is no file object, and `exhausted` for a larger one.
 */
export async function readPlainFile(blobs: BlobReader, digest: Digest, limit: number): Promise<Uint8Array | undefined> {
  const tooLarge = (size: number) => new StillageError("exhausted", `has ${size} bytes; up to ${limit} are read`);
  // Deflate makes what it cannot make smaller a little larger.
  if (digest.size > limit + limit / 8 + firstBytes) throw tooLarge(digest.size);
  const bytes = await readMessage(blobs, digest);
  if (bytes === undefined) return undefined;
  const head = wholeHead(bytes);
  if (head.size > limit) throw tooLarge(head.size);
  return plainContent(head, bytes);
}

/** Opens a file object to read its plain content; `undefined` where it is not there. Errors: `invalid` for what is none. */
export async function openFileObject(blobs: BlobReader, digest: Digest): Promise<OpenFilez | undefined> {
  const blob = await blobs.open(digest);
  return blob === undefined ? undefined : readFilez(piecesOf(blob));
}

async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < blob.digest.size; at += pieceBytes) {
      const piece = new Uint8Array(Math.min(pieceBytes, blob.digest.size - at));
      await blob.read(piece, at);
      yield piece;
    }
  } finally {
    blob.close();
  }
}
