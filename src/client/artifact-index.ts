import type { ArtifactContent } from "../artifact/artifact-content.ts";
import type { Digest } from "../base/digest.ts";
import type { Generation } from "../store/artifact-refs.ts";

/** An artifact as an index names it. */
export interface IndexedArtifact {
  readonly project: string;
  /** As it is stored: `sub-deep_plus` for `sub/deep+plus.bst`. */
  readonly element: string;
  /** Those that are known to lead to it, each once, the strong one first; at least one. */
  readonly keys: readonly string[];
  readonly generation: Generation;
  /** The Artifact message (2.x, 1.9x), the Directory (1.x), the commit (1.0). */
  readonly content: Digest;
  /** The bytes of the message where they are at hand. Of 1.9x they are always: there they stand in the index and are no blob. */
  readonly message: Uint8Array | undefined;
  /** What the index has noted besides; left out where it notes nothing. Copying takes no notice of it. */
  readonly record?: ArtifactRecord | undefined;
}

/** When and by whom an artifact came to be where it is; what is `undefined` is not known there. Times in milliseconds since 1970. */
export interface ArtifactRecord {
  readonly instance?: string | undefined;
  readonly pushed?: number | undefined;
  readonly by?: string | undefined;
  readonly used?: number | undefined;
  readonly expires?: number | undefined;
  readonly pinned?: boolean | undefined;
  /** Whether more keys than those that are told lead to it. */
  readonly moreKeys?: boolean | undefined;
}

/** What is looked for: an element's artifact by any of these keys, the first that is known. */
export interface ArtifactQuestion {
  readonly project: string;
  readonly element: string;
  readonly keys: readonly string[];
  /** Only of this generation; whatever there is where it is `undefined`. */
  readonly generation?: Generation | undefined;
}

/** `*` stands for any text, `?` for one character. A key by its beginning. */
export interface ArtifactGlob {
  readonly project: string;
  readonly element: string;
  readonly key: string;
}

/** What leads from names to artifacts. Errors of all methods: `unavailable` and `deadline` where the place is at fault, `cancelled` for the signal. */
export interface ArtifactIndex {
  /** Generations whose artifacts it may have, in the order in which they are asked for. */
  readonly generations: readonly Generation[];
  /** That `list` gives what was pushed last first: whoever wants that order need not sort. */
  readonly newestFirst?: true;
  /** `undefined` where there is none, which is no error. The artifact need not be whole. */
  find(question: ArtifactQuestion, signal: AbortSignal): Promise<IndexedArtifact | undefined>;
  /** All that match any of the globs. Errors: `unsupported` where names cannot be listed, with a hint. */
  list(globs: readonly ArtifactGlob[], signal: AbortSignal): AsyncIterable<IndexedArtifact>;
  /**
   * Names an artifact whose blobs are there, by all of its keys; `present` where each of them leads to it already. Errors: `forbidden`; `unsupported` for a
   * generation that the place does not know.
   */
  publish(artifact: IndexedArtifact, content: ArtifactContent, signal: AbortSignal): Promise<"published" | "present">;
}
