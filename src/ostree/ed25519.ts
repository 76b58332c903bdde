import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { StillageError } from "../base/errors.ts";

/** What an Ed25519 key pair begins with in PKCS#8 and, the public key, in SPKI: the rest are 32 bytes each (RFC 8410, section 7). */
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

const keyBytes = 32;
const signatureBytes = 64;

export interface Ed25519PublicKey {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/** A key pair, as OSTree's secret keys are one: the seed, which is the secret, and the public key. */
export interface Ed25519Key extends Ed25519PublicKey {
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

/** The key pair of a seed. */
export function ed25519KeyOfSeed(seed: Uint8Array): Ed25519Key {
  if (seed.length !== keyBytes) throw new StillageError("invalid", "the seed of an Ed25519 key has 32 bytes");
  const spki = createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" });
  return { seed, bytes: Uint8Array.from(spki.subarray(publicPrefix.length)) };
}

/** A new key pair; `random` gives as many random bytes as it is asked for. */
export function newEd25519Key(random: (length: number) => Uint8Array = randomBytes): Ed25519Key {
  return ed25519KeyOfSeed(Uint8Array.from(random(keyBytes)));
}

/** The signature of `bytes`, 64 bytes: pure Ed25519 (RFC 8032), so the same key and bytes always give the same one. */
export function signEd25519(key: Ed25519Key, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(sign(null, bytes, privateKey(key.seed)));
}

/** Whether it is the signature of `bytes` by that key. What cannot be checked is none. */
export function verifyEd25519(key: Ed25519PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (key.bytes.length !== keyBytes || signature.length !== signatureBytes) return false;
  try {
    const spki = createPublicKey({ key: Buffer.concat([publicPrefix, key.bytes]), format: "der", type: "spki" });
    return verify(null, bytes, spki, signature) === true;
  } catch {
    return false; // bytes that are no point of the curve
  }
}

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: "der", type: "pkcs8" });
}
