import { createHash, hash } from "node:crypto";
import { blake3Hex, runningBlake3 } from "./blake3.ts";
import type { DigestFunction, ServedFunction } from "./digest-function.ts";
import { hashAtOnce, isHashedAtOnce, RunningFileObjectHash } from "./file-object-hash.ts";
import { isPromise, type MaybePromise } from "./maybe-promise.ts";

/**
 * A hash of bytes that come in pieces. Calls follow one another: each waits until the one before has settled. That is at once but for file objects of OSTree,
 * which are inflated in the thread pool.
 */
export interface RunningHash {
  /** Takes the next bytes, which are free for other use once this settles. Never fails. */
  update(bytes: Uint8Array): MaybePromise<unknown>;
  /** The hash in lower-case hex; `undefined` where the bytes are not what a blob of the function can be. Called once, at the end. */
  digest(encoding: "hex"): MaybePromise<string | undefined>;
  /** Frees what is held, where the hash is not asked for. */
  close?(): void;
}

/** A running hash of any bytes, which never has to be waited for. */
export interface SyncHash extends RunningHash {
  update(bytes: Uint8Array): object;
  digest(encoding: "hex"): string;
}

/** The hash of bytes at hand, in lower-case hex; `undefined` where they are not what a blob of the function can be, or not `hashesAtOnce`. */
export function hashOf(fn: ServedFunction, bytes: Uint8Array): string;
export function hashOf(fn: DigestFunction, bytes: Uint8Array): string | undefined;
export function hashOf({ name }: DigestFunction, bytes: Uint8Array): string | undefined {
  if (name === "ostree") return hashAtOnce(bytes);
  return name === "blake3" ? blake3Hex(bytes) : hash(name, bytes, "hex");
}

/** Whether `hashOf` tells at once, in time that grows with them alone, what these bytes are: a megabyte of a file object may be deflated from a gigabyte. */
export function hashesAtOnce({ name }: DigestFunction, bytes: Uint8Array): boolean {
  return name !== "ostree" || isHashedAtOnce(bytes);
}

/** The hash of bytes at hand, as `hashOf` gives it, however long that takes. */
export function anyHashOf(fn: DigestFunction, bytes: Uint8Array): MaybePromise<string | undefined> {
  if (hashesAtOnce(fn, bytes)) return hashOf(fn, bytes);
  const running = runningHash(fn);
  const taken = running.update(bytes);
  return isPromise(taken) ? taken.then(() => running.digest("hex")) : running.digest("hex");
}

export function runningHash(fn: ServedFunction): SyncHash;
export function runningHash(fn: DigestFunction): RunningHash;
export function runningHash({ name }: DigestFunction): RunningHash {
  if (name === "ostree") return new RunningFileObjectHash();
  return name === "blake3" ? runningBlake3() : createHash(name);
}
