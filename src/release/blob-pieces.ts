import { type Digest, keyOfDigest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { ReadAhead } from "../cache/read-ahead.ts";
import type { Blob } from "../store/blob-store.ts";

/** Bytes that are read at a time. */
const pieceBytes = 256 << 10;

/** A blob from its beginning to its end, in pieces that are their taker's. Errors: `not-found` where it is not there, those of reading. */
export async function* blobPieces(opened: MaybePromise<Blob | undefined>, digest: Digest): AsyncGenerator<Uint8Array> {
  const blob = await opened;
  if (blob === undefined) throw gone(digest);
  const ahead = new ReadAhead(blob, pieceBytes);
  try {
    for (let piece = await ahead.next(); piece !== undefined; piece = await ahead.next()) {
      // It is read into again, while files are put together from several pieces, and deflated block by block.
      yield Buffer.from(piece);
    }
  } finally {
    await ahead.stop();
    blob.close();
  }
}

/** What is said of a blob that was there when the artifact was found complete. */
export function gone(digest: Digest): StillageError {
  return new StillageError("not-found", `the blob ${keyOfDigest(digest)} has just gone from the store`, {
    hint: "pull the artifact, or build it, and try again",
  });
}

/** Compares a blob with its name: a release is for long. Errors: `corrupt`. */
export function checkHash(digest: Digest, hash: string | undefined): void {
  if (hash === digest.hash) return;
  throw new StillageError("corrupt", `the blob ${showDigest(digest)} in the store is damaged`, {
    hint: "`stillage store fsck` finds all that is; build the element again to have it pushed anew",
  });
}
