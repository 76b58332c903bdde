import type { Trace } from "../../base/trace.ts";
import { Closure, type ClosureOptions } from "../../cache/closure.ts";
import type { BlobReader, BlobStore, Upload } from "../../store/blob-store.ts";
import type { RefStore, Root } from "../../store/ref-store.ts";

/** A store of which is told how long it takes until what is put is verified and durable. */
export function tracedBlobs(store: BlobStore, trace: Trace | undefined): BlobStore {
  if (trace === undefined) return store;
  return {
    missing: (digests) => store.missing(digests),
    sizeOf: (fn, hash) => store.sizeOf(fn, hash),
    sizesOf: (hashes) => store.sizesOf(hashes),
    open: (digest) => store.open(digest),
    readBatch: (digests) => store.readBatch(digests),
    put: (digest, bytes) => trace("put blob", { "stillage.blob.size": digest.size }, () => store.put(digest, bytes)),
    putBatch: (batch) => trace("put blobs", { "stillage.blobs": batch.digests.length }, () => store.putBatch(batch)),
    upload: async (digest) => tracedUpload(await store.upload(digest), trace),
  };
}

function tracedUpload(upload: Upload, trace: Trace): Upload {
  return {
    digest: upload.digest,
    get received() {
      return upload.received;
    },
    write: (chunk) => upload.write(chunk),
    rest: () => upload.rest(),
    finish: () => trace("finish upload", { "stillage.blob.size": upload.digest.size }, () => upload.finish()),
    abort: () => upload.abort(),
  };
}

/** Refs of which is told how long a commit takes. */
export function tracedRefs(refs: RefStore, trace: Trace | undefined): RefStore {
  if (trace === undefined) return refs;
  return {
    artifacts: refs.artifacts,
    get: (name) => refs.get(name),
    put: (changes) => trace("commit refs", { "stillage.refs": changes.length }, () => refs.put(changes)),
    remove: (name) => trace("commit refs", { "stillage.refs": 1 }, () => refs.remove(name)),
    count: (space) => refs.count(space),
    listed: (kind, known) => refs.listed(kind, known),
    close: () => refs.close(),
  };
}

/** A closure of which is told how long it takes to see whether all is there. */
export class TracedClosure extends Closure {
  private readonly trace: Trace;

  constructor(blobs: BlobReader, removals: () => number, options: ClosureOptions, trace: Trace) {
    super(blobs, removals, options);
    this.trace = trace;
  }

  override complete(roots: readonly Root[]): Promise<boolean> {
    return this.trace("walk closure", { "stillage.roots": roots.length }, () => super.complete(roots));
  }
}
