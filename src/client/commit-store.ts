import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import type { ObjectSource } from "../ostree/archive/object-source.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { IndexedArtifact } from "./artifact-index.ts";

/** Where commits of OSTree are read from, with all that they need: the form of artifacts of BuildStream 1.0. */
export interface CommitSource {
  /** The files of an archive repository. Whoever takes one verifies it. */
  readonly objects: ObjectSource;
  /**
   * The same to the views of artifacts: commits, dirtrees and dirmetas as blobs of SHA-256, file objects as blobs of the function `ostree`. Verified: `corrupt` for an object with
   * other bytes than its checksum says, of a large file object with its last bytes.
   */
  readonly blobs: BlobReader;
  /** The repository, where it lies on this machine as one of mode `archive`. */
  readonly repository: ArchiveRepository | undefined;
}

export interface TakeOptions {
  readonly signal: AbortSignal;
  /** Objects and bytes that have come or gone since it was last called. */
  readonly onProgress?: (objects: number, bytes: number) => void;
}

/** A place that has artifacts of BuildStream 1.0. */
export interface CommitStore extends CommitSource {
  /**
   * Takes an artifact's commit with all that it needs from elsewhere, verified, and has its keys lead to it; `present` where they do already. All of it
   * happens, or no name leads to anything new. `undefined` where nothing can be written. Errors: `not-found` and `invalid`, naming the object; `forbidden`, `exhausted`,
   * `unavailable`, `deadline`; the signal's reason.
   */
  readonly take:
    | ((artifact: IndexedArtifact, from: CommitSource, options: TakeOptions) => Promise<"published" | "present">)
    | undefined;
}
