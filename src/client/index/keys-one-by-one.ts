import { sameDigest } from "../../base/digest.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { type Element, firstFound, keysToPut, type ProtocolIndex } from "./protocol-index.ts";

/** What a key leads to. */
export type Found = Pick<IndexedArtifact, "content" | "message">;

/** A protocol whose calls are about one key each. */
export interface KeyCalls {
  readonly generation: IndexedArtifact["generation"];
  look(element: Element, key: string, signal: AbortSignal): Promise<Found | undefined>;
  put(artifact: IndexedArtifact, key: string, signal: AbortSignal): Promise<void>;
}

/**
 * An index by such calls. Each key is looked at for itself, so that a new strong key comes through although the weak one is known. The keys are put in their order: after a failure
 * between two of them the first ones are there, and each is whole.
 */
export function indexOfKeys({ generation, look, put }: KeyCalls): ProtocolIndex {
  return {
    generation,
    async find({ project, element, keys }, signal) {
      const first = await firstFound(keys, (key) => look({ project, element }, key, signal));
      return first && { project, element, keys: [first.key], generation, ...first.found };
    },
    async publish(artifact, _content, signal) {
      const missing = await keysToPut(artifact, async (key) => {
        const found = await look(artifact, key, signal);
        return found !== undefined && sameDigest(found.content, artifact.content);
      });
      for (const key of missing) await put(artifact, key, signal);
      return missing.length === 0 ? "present" : "published";
    },
  };
}
