import { type DigestFunction, functionOfHexLength, type ServedFunction } from "./digest-function.ts";
import { StillageError } from "./errors.ts";
import { hashOf } from "./hash.ts";

/** The name of a blob: a hash function, the hash in lower-case hex, the size in bytes. Made by the functions below alone. */
export interface Digest {
  readonly function: DigestFunction;
  readonly hash: string;
  readonly size: number;
}

const hex = /^[0-9a-f]+$/;

/** Checks what came from outside. `fn` is the function asked for, or `undefined` to tell it from the hash's length. */
export function parseDigest(hash: string, size: number | bigint, fn?: DigestFunction): Digest {
  const known = fn ?? functionOfHexLength(hash.length);
  if (known === undefined || hash.length !== known.hexLength || !hex.test(hash)) {
    throw new StillageError(
      "invalid",
      `${JSON.stringify(hash.slice(0, 130))} is not a ${known?.name ?? "known"} hash in lower-case hex`,
    );
  }
  const bytes = Number(size);
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new StillageError("invalid", `${hash} has an impossible size, ${size}`);
  }
  if (bytes === 0 && hash !== known.emptyHash) {
    const why =
      known.emptyHash === undefined ? "has the size 0, which nothing has" : "is not the hash of the empty blob";
    throw new StillageError("invalid", `${hash} ${why}`);
  }
  return { function: known, hash, size: bytes };
}

/** The digest of bytes at hand. Errors: `invalid` for what `hashOf` does not hash. */
export function digestOf(fn: DigestFunction, bytes: Uint8Array): Digest {
  const hash = hashOf(fn, bytes);
  if (hash === undefined) throw new StillageError("invalid", `${bytes.length} bytes are not what ${fn.name} names`);
  return { function: fn, hash, size: bytes.length };
}

export function emptyDigest(fn: ServedFunction): Digest {
  return { function: fn, hash: fn.emptyHash, size: 0 };
}

/** Whether it is that of no bytes at all, which is always there. */
export function isEmptyBlob(digest: Digest): boolean {
  return digest.size === 0 && digest.function.emptyHash !== undefined;
}

export function sameDigest(a: Digest, b: Digest): boolean {
  return a.hash === b.hash && a.size === b.size && a.function === b.function;
}

/** `hash/size`, as messages and logs show it. Hashes of different functions may have one length: `keyOfDigest` tells them apart. */
export function showDigest(digest: Digest): string {
  return `${digest.hash}/${digest.size}`;
}

/** A key of maps: what is the same for the same blob by the same function, and for nothing else. */
export function keyOfDigest(digest: Digest): string {
  return `${digest.function.name} ${showDigest(digest)}`;
}
