import type { Generation } from "../store/artifact-refs.ts";
import type { ArtifactIndex } from "./artifact-index.ts";
import type { BlobSink, BlobSource } from "./blob-place.ts";
import type { CommitStore } from "./commit-store.ts";

/** Blobs that can be read, and written where that is allowed. */
export type BlobPlace = BlobSource & BlobSink;

/** Somewhere that has artifacts: a local cache, a server, a tar file, the store of a server. Disposing closes what it holds open. */
export interface Place extends AsyncDisposable {
  /** As messages call it. */
  readonly name: string;
  /** `undefined` for a server that has blobs alone. */
  readonly index: ArtifactIndex | undefined;
  /** `undefined` for a server that has names alone. */
  readonly blobs: BlobPlace | undefined;
  /** Artifacts of BuildStream 1.0, which are commits of OSTree and no blobs. The index lists and finds them; `copyCommit` in `ostree/` copies them. */
  readonly commits?: CommitStore | undefined;
  /** Where the blobs of artifacts of one generation are written to, where that is not always `blobs`. */
  blobsFor?(generation: Generation): BlobPlace;
  /** Whether it lets us write, as far as is known before it is tried. */
  readonly writable: boolean;
  /** Whether its blobs lie on a disk of this machine: reading there what it has already costs less than asking another place. */
  readonly near?: boolean;
  /**
   * Puts what was written to where it is for good, in a place that does so only at its end, as a tar file does; disposing does it as well, once this has not failed. Errors: those of the place, which
   * then is as it was before.
   */
  save?(): Promise<void>;
}
