import { type Digest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { hashOf } from "../base/hash.ts";

/** Throws `invalid` unless `bytes` are those that `digest` names. */
export function verifyBlob(digest: Digest, bytes: Uint8Array): void {
  verifySize(digest, bytes.length);
  verifyHash(digest, hashOf(digest.function, bytes));
}

/** Throws `invalid` unless `size` is the digest's. */
export function verifySize(digest: Digest, size: number): void {
  if (size !== digest.size) {
    throw new StillageError("invalid", `${showDigest(digest)} came with ${size} bytes`);
  }
}

/** Throws `invalid` unless `hash`, in lower-case hex, is the digest's. */
export function verifyHash(digest: Digest, hash: string): void {
  if (hash !== digest.hash) {
    throw new StillageError(
      "invalid",
      `${showDigest(digest)} came with bytes whose ${digest.function.name} is ${hash}`,
    );
  }
}
