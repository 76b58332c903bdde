import type { Entry } from "../../artifact/directory-entries.ts";
import { keyOfDigest, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { openFileObject } from "../../cache/file-object.ts";
import type { BlobReader } from "../../store/blob-store.ts";
import { type BlobSource, oneByOne } from "../blob-place.ts";

/** A file of a tree. */
export type FileEntry = Extract<Entry, { type: "file" }>;

/** What is in the files of a tree, whatever they are stored as. Verified as it is read. */
export interface FileContents {
  /** Files of at most `maxSmallBytes` (blob-place.ts) each, in any order. The bytes may be used until `take` settles. Errors: `not-found`, and those of the place. */
  readMany(
    files: readonly FileEntry[],
    take: (file: FileEntry, bytes: Uint8Array) => MaybePromise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** One file of any size. Errors: as above. */
  read(file: FileEntry, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** File objects that are inflated at a time. */
const atOnce = 8;

/** Files that are blobs. */
export function blobContents(blobs: BlobSource): FileContents {
  return {
    async readMany(files, take, signal) {
      const byDigest = new Map<string, FileEntry[]>();
      for (const file of files) {
        const same = byDigest.get(keyOfDigest(file.digest));
        if (same === undefined) byDigest.set(keyOfDigest(file.digest), [file]);
        else same.push(file);
      }
      const digests = [...byDigest.values()].map((same) => (same[0] as FileEntry).digest);
      const [missing] = await blobs.readMany(
        digests,
        oneByOne(async (digest, bytes) => {
          for (const file of byDigest.get(keyOfDigest(digest)) ?? []) await take(file, bytes);
        }),
        signal,
      );
      if (missing !== undefined) throw lost(byDigest.get(keyOfDigest(missing))?.[0] as FileEntry);
    },
    read: ({ digest }, signal) => blobs.read(digest, 0, signal),
  };
}

/** Files that are file objects of OSTree. */
export function fileObjectContents(reader: BlobReader): FileContents {
  async function* read(file: FileEntry, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const object = await openFileObject(reader, file.digest);
    if (object === undefined) throw lost(file);
    for await (const piece of object.content) {
      signal.throwIfAborted();
      yield piece;
    }
  }
  return {
    read,
    readMany: (files, take, signal) =>
      inParallel(files, atOnce, async (file) => {
        const bytes = new Uint8Array(file.size);
        let at = 0;
        for await (const piece of read(file, signal)) {
          bytes.set(piece, at);
          at += piece.length;
        }
        await take(file, bytes);
      }),
  };
}

function lost({ name, digest }: FileEntry): StillageError {
  return new StillageError("not-found", `the content of ${JSON.stringify(name)} is missing: ${showDigest(digest)}`, {
    hint: "the artifact is not whole there: pull it from where it is, or build it again",
  });
}
