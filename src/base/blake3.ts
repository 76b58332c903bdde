import { createRequire } from "node:module";
import { chunkBytes, PortableBlake3 } from "./blake3-portable.ts";
import type { SyncHash } from "./hash.ts";

/** What is used of `@napi-rs/blake-hash`, the reference implementation as a Node-API addon. */
interface Native {
  blake3(bytes: Uint8Array): Buffer;
  readonly Blake3Hasher: new () => SyncHash;
}

/** The addon; `undefined` where there is none for this machine, or npm was told to leave it out. */
function loadNative(): Native | undefined {
  try {
    return createRequire(import.meta.url)("@napi-rs/blake-hash") as Native;
  } catch {
    return undefined;
  }
}

/** Loaded when the first blob of some size comes: who has none by BLAKE3 does without. */
let native: { readonly addon: Native | undefined } | undefined;

function addon(): Native | undefined {
  native ??= { addon: loadNative() };
  return native.addon;
}

const small = new PortableBlake3();

/** The BLAKE3 hash of bytes at hand, in lower-case hex. Up to a chunk, calling the addon takes longer than hashing here. */
export function blake3Hex(bytes: Uint8Array): string {
  const fast = bytes.length > chunkBytes ? addon() : undefined;
  return fast === undefined ? small.update(bytes).digest("hex") : fast.blake3(bytes).toString("hex");
}

/** A BLAKE3 hash of bytes that come in pieces. Holds some 2 KiB. */
export function runningBlake3(): SyncHash {
  const fast = addon();
  return fast === undefined ? new PortableBlake3() : new fast.Blake3Hasher();
}
