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
    open: (digest) => store.open(digest),
    readBatch: (digests) => store.readBatch(digests),
    put: (digest, bytes) => store.put(digest, bytes).catch(translate),
    upload: async (digest) => translated(await store.upload(digest).catch(translate)),
  };
}

function translated(upload: Upload): Upload {
  return {
    digest: upload.digest,
    get received() {
      return upload.received;
    },
    write(chunk): MaybePromise<void> {
      const written = upload.write(chunk);
      return isPromise(written) ? written.catch(translate) : written;
    },
    rest: () => upload.rest().catch(translate),
    finish: () => upload.finish().catch(translate),
    abort: () => upload.abort(),
  };
}

function translate(error: unknown): never {
  if (!(error instanceof StillageError) || error.code !== "exhausted") throw error;
  throw new StillageError("unavailable", error.message, { cause: error, retryAfterMs });
}
