import { createHash, hash } from "node:crypto";
import { blake3Hex, runningBlake3 } from "./blake3.ts";
import type { DigestFunction } from "./digest-function.ts";

/** A hash of bytes that come in pieces. `digest` is called once, at the end. */
export interface RunningHash {
  update(bytes: Uint8Array): unknown;
  /** The hash in lower-case hex. */
  digest(encoding: "hex"): string;
}

/** The hash of bytes at hand, in lower-case hex. */
export function hashOf({ name }: DigestFunction, bytes: Uint8Array): string {
  return name === "blake3" ? blake3Hex(bytes) : hash(name, bytes, "hex");
}

export function runningHash({ name }: DigestFunction): RunningHash {
  return name === "blake3" ? runningBlake3() : createHash(name);
}
