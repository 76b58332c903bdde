import { setImmediate as breath } from "node:timers/promises";
import { type Digest, isEmptyBlob, keyOfDigest, showDigest } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { hashOf, runningHash } from "../base/hash.ts";
import type { Blob, BlobReader } from "../store/blob-store.ts";
import type { BlobPlace } from "./place.ts";

const pieceBytes = 256 << 10;

/** Bytes after which others have their turn. */
const bytesInOneTurn = 4 << 20;

/** The blobs that a reader of a store has, verified as they are read; nothing can be written. */
export function storeBlobs(reader: BlobReader, name: string): BlobPlace {
  const readOnly = (): Promise<never> => Promise.reject(notWritable(name));
  return {
    sizeOf: (fn, hash) => reader.sizeOf(fn, hash),
    async readMany(digests, take, signal) {
      const missing: Digest[] = [];
      let bytes = 0;
      for (const digest of digests) {
        signal.throwIfAborted();
        const read = await readWhole(reader, digest);
        if (read === undefined) missing.push(digest);
        else await take({ blobs: [{ digest, bytes: read }], memory: undefined });
        bytes += digest.size;
        if (bytes > bytesInOneTurn) {
          bytes = 0;
          await breath();
        }
      }
      return missing;
    },
    async *read(digest, offset, signal) {
      const blob = await reader.open(digest);
      if (blob === undefined) throw new StillageError("not-found", `${showDigest(digest)} is not in ${name}`);
      yield* pieces(blob, offset, signal);
    },
    async missing(digests, signal) {
      signal.throwIfAborted();
      const asked = [...new Map(digests.map((digest) => [keyOfDigest(digest), digest])).values()];
      const absent: Digest[] = [];
      for (const fn of new Set(asked.map((digest) => digest.function))) {
        const list = new DigestList(fn);
        for (const digest of asked) if (digest.function === fn) list.push(digest);
        for (const at of await reader.missing(list)) absent.push(list.at(at));
      }
      return absent;
    },
    writeMany: readOnly,
    write: readOnly,
    flush: readOnly,
  };
}

/** Nothing is written to a server's directory from beside it. */
export function notWritable(name: string): StillageError {
  return new StillageError("forbidden", `${name} can only be read`, {
    hint: "a store belongs to its server: push to the server's address",
  });
}

async function readWhole(reader: BlobReader, digest: Digest): Promise<Uint8Array | undefined> {
  if (isEmptyBlob(digest)) return new Uint8Array(0);
  const blob = await reader.open(digest);
  if (blob === undefined) return undefined;
  try {
    const bytes = new Uint8Array(digest.size);
    await blob.read(bytes, 0);
    check(digest, hashOf(digest.function, bytes));
    return bytes;
  } finally {
    blob.close();
  }
}

async function* pieces(blob: Blob, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { digest } = blob;
  const hash = offset === 0 ? runningHash(digest.function) : undefined;
  try {
    for (let at = offset; at < digest.size; ) {
      signal.throwIfAborted();
      const piece = new Uint8Array(Math.min(pieceBytes, digest.size - at));
      await blob.read(piece, at);
      await hash?.update(piece);
      at += piece.length;
      yield piece;
    }
    if (hash !== undefined) check(digest, await hash.digest("hex"));
  } finally {
    hash?.close?.();
    blob.close();
  }
}

function check(digest: Digest, hash: string | undefined): void {
  if (hash === digest.hash) return;
  throw new StillageError("corrupt", `the stored bytes of ${showDigest(digest)} are not its own`, {
    hint: "`stillage store fsck` finds and mends such damage",
  });
}
