import { type Digest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { anyHashOf, hashOf } from "../base/hash.ts";
import { isPromise } from "../base/maybe-promise.ts";

/** Throws `invalid` unless `bytes`, which `hashesAtOnce`, are those that `digest` names. */
export function verifyBlob(digest: Digest, bytes: Uint8Array): void {
  verifySize(digest, bytes.length);
  verifyHash(digest, hashOf(digest.function, bytes));
}

/** The same for any bytes at hand. */
export async function verifyAnyBlob(digest: Digest, bytes: Uint8Array): Promise<void> {
  verifySize(digest, bytes.length);
  const hash = anyHashOf(digest.function, bytes);
  verifyHash(digest, isPromise(hash) ? await hash : hash);
}

/** Throws `invalid` unless `size` is the digest's. */
export function verifySize(digest: Digest, size: number): void {
  if (size !== digest.size) {
    throw new StillageError("invalid", `${showDigest(digest)} came with ${size} bytes`);
  }
}

/** Throws `invalid` unless `hash`, in lower-case hex, is the digest's; `undefined`: the bytes are not what its function names. */
export function verifyHash(digest: Digest, hash: string | undefined): void {
  if (hash === digest.hash) return;
  const { name } = digest.function;
  const what = hash === undefined ? `that are not what ${name} names` : `whose ${name} is ${hash}`;
  throw new StillageError("invalid", `${showDigest(digest)} came with bytes ${what}`);
}
