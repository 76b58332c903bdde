import type { MetadataChange } from "../compare/metadata-changes.ts";
import type { TreeChange } from "../compare/tree-changes.ts";
import { stoppable, stoppableItems } from "./cancellation.ts";
import type { FoundArtifact, TreeOptions } from "./found-artifact.ts";

/** What differs between two artifacts. Both are asked for when they are wanted. */
export interface ArtifactDifference {
  /** What they say of themselves: keys, outcome, dependencies, data, trees. Times and logs are not compared. */
  metadata(): Promise<MetadataChange[]>;
  /** Paths that are not the same, in their order; directories that are equal are not read. */
  files(): AsyncGenerator<TreeChange, void>;
}

/** @internal Of `StillageClient.diff`. */
export function differenceOf(
  from: FoundArtifact,
  to: FoundArtifact,
  { tree, signal }: Required<Pick<TreeOptions, "tree">> & { readonly signal: AbortSignal },
): ArtifactDifference {
  const doing = `comparing ${from.name} with ${to.name}`;
  async function* changes(): AsyncGenerator<TreeChange, void> {
    const { fileChanges } = await import("../compare/compare-artifacts.ts");
    yield* fileChanges(await from.open(signal), await to.open(signal), tree ?? "files", signal);
  }
  return {
    metadata: () =>
      stoppable(signal, doing, async () => {
        const { sayingChanges } = await import("../compare/compare-artifacts.ts");
        return sayingChanges(await from.open(signal), await to.open(signal));
      }),
    files: () => stoppableItems(signal, doing, changes),
  };
}
