import { StillageError } from "../../base/errors.ts";
import { isPromise, type MaybePromise } from "../../base/maybe-promise.ts";
import type { BlobStore, Upload } from "../blob-store.ts";

/** Soon enough that a client with BuildStream's five attempts ends within ten seconds. */
const retryAfterMs = 1000;

/**
 * A full store answers `unavailable` in place of `exhausted`. BuildStream takes RESOURCE_EXHAUSTED for an upload as done, and
 * announces an artifact whose blobs are not there; told UNAVAILABLE, it tries again for a while and then says that the push failed.
 */
export function retryWhenFull(store: BlobStore): BlobStore {
  return {
    missing: (digests) => store.missing(digests),
    sizeOf: (fn, hash) => store.sizeOf(fn, hash),
    sizesOf: (hashes) => store.sizesOf(hashes),
    open: (digest) => store.open(digest),
    readBatch: (digests) => store.readBatch(digests),
    put: (digest, bytes) => store.put(digest, bytes).catch(refuseForAWhile),
    putBatch: async (batch) => {
      const failures = await store.putBatch(batch);
      return failures.size === 0 ? failures : new Map(Array.from(failures, ([i, error]) => [i, forAWhile(error)]));
    },
    upload: async (digest) => retryUploadWhenFull(await store.upload(digest).catch(refuseForAWhile)),
  };
}

/** The same for an upload that has begun. */
export function retryUploadWhenFull(upload: Upload): Upload {
  return {
    digest: upload.digest,
    get received() {
      return upload.received;
    },
    write(chunk): MaybePromise<void> {
      const written = upload.write(chunk);
      return isPromise(written) ? written.catch(refuseForAWhile) : written;
    },
    rest: () => upload.rest().catch(refuseForAWhile),
    finish: () => upload.finish().catch(refuseForAWhile),
    abort: () => upload.abort(),
  };
}

/** Throws what a caller is told in place of `exhausted`. */
export function refuseForAWhile(error: unknown): never {
  throw forAWhile(error);
}

function forAWhile(error: unknown): unknown {
  if (!(error instanceof StillageError) || error.code !== "exhausted") return error;
  return new StillageError("unavailable", error.message, { cause: error, retryAfterMs });
}
