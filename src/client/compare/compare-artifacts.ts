import type { TreeName } from "../../artifact/artifact-content.ts";
import type { ReadableBlobs } from "../blob-reader.ts";
import { type OpenArtifact, treeOf } from "../reading/open-artifact.ts";
import { directoriesOf, readLevel, type WholeDirectory } from "../reading/whole-tree.ts";
import { type MetadataChange, metadataChanges } from "./metadata-changes.ts";
import { type ComparedTree, type TreeChange, treeChanges } from "./tree-changes.ts";

/** What differs between one tree of two artifacts. Errors: those of the places. */
export async function* fileChanges(
  from: OpenArtifact,
  to: OpenArtifact,
  tree: TreeName,
  signal: AbortSignal,
): AsyncGenerator<TreeChange, void> {
  yield* treeChanges(await compared(from, tree, signal), await compared(to, tree, signal), signal);
}

/** What differs between what two artifacts say of themselves. Errors: `not-found`, `corrupt`, `unsupported`. */
export async function sayingChanges(from: OpenArtifact, to: OpenArtifact): Promise<MetadataChange[]> {
  const [before, after] = await Promise.all([from.content(), to.content()]);
  return metadataChanges({ ...from.artifact, content: before }, { ...to.artifact, content: after });
}

async function compared(open: OpenArtifact, name: TreeName, signal: AbortSignal): Promise<ComparedTree> {
  const { files, blobs, artifact } = open;
  const root = (await open.content()).trees[name];
  if (root !== undefined && artifact.generation === "1.0") {
    const tree = await treeOf(open, name, signal);
    return { root, files, readLevel: async () => {}, directory: tree.directory };
  }
  const known = new Map<string, WholeDirectory>();
  return {
    root,
    files,
    readLevel: (digests) => readLevel(blobs as ReadableBlobs, digests, known, signal),
    directory: directoriesOf(known),
  };
}
