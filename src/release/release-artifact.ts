import type { ArtifactContent } from "../artifact/artifact-content.ts";
import { StillageError } from "../base/errors.ts";
import type { DirectoryEntry } from "../ostree/archive/tree-entry.ts";
import type { FoundArtifact } from "../store/artifact-refs.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { ShownElement } from "./bst-show.ts";
import { committedFiles } from "./committed-files.ts";
import type { ManifestArtifact } from "./manifest.ts";
import { type ArtifactFacts, type Origins, originsOf, originsOfArtifact } from "./show-check.ts";
import { storeTree } from "./store-tree.ts";

/** What an artifact gives a release. */
export interface ReleasedArtifact {
  readonly tree: DirectoryEntry;
  readonly artifact: ManifestArtifact;
  readonly origins: Origins;
  /** Name -> SHA-256, of those whose digest is one. */
  readonly logs: Readonly<Record<string, string>>;
}

/**
 * The files of an artifact, of whichever generation, and what its manifest says. `shown` is what `bst show` printed, where somebody gave that.
 * Errors: `failed-precondition` for an artifact without files, and as `originsOf`.
 */
export async function releasedArtifact(
  blobs: BlobReader,
  found: FoundArtifact,
  content: ArtifactContent,
  shown: readonly ShownElement[] | undefined,
): Promise<ReleasedArtifact> {
  const { project, element, generation } = found;
  const tree = await filesOf(blobs, found, content);
  const { strong = null, weak = null, strict = null } = content.keys;
  const files = generation === "1.0" ? undefined : content.trees.files;
  const facts: ArtifactFacts = {
    ...{ project, element, dependencies: content.dependencies },
    keys: keysOf(found, content),
    casDigest: files?.function.name === "sha256" ? `${files.hash}/${files.size}` : undefined,
  };
  const origins = shown === undefined ? originsOfArtifact(facts) : originsOf(facts, shown);
  const artifact: ManifestArtifact = {
    ...{ project, element, generation, key: facts.keys[0] ?? "", keys: { strong, weak, strict } },
    kind: origins.kind ?? null,
    files: files === undefined ? null : { function: files.function.name, hash: files.hash, size: files.size },
    commit: generation === "1.0" ? found.content.hash : null,
    messageVersion: content.version ?? null,
    workspaced: content.build.workspaced,
  };
  const logs = content.logs.filter(({ digest }) => digest.function.name === "sha256");
  return { tree, artifact, origins, logs: Object.fromEntries(logs.map(({ name, digest }) => [name, digest.hash])) };
}

/** The keys that `bst show` may print for it: never the weak one, which says less than the others. */
function keysOf({ keys }: FoundArtifact, { keys: { strong, strict } }: ArtifactContent): string[] {
  const told = [strong, strict].filter((key) => key !== undefined);
  return told.length > 0 ? [...new Set(told)] : [...keys];
}

async function filesOf(blobs: BlobReader, found: FoundArtifact, content: ArtifactContent): Promise<DirectoryEntry> {
  if (found.generation === "1.0") return committedFiles(blobs, found.content);
  const { files } = content.trees;
  if (files !== undefined) return storeTree(blobs, files);
  throw new StillageError("failed-precondition", `the artifact ${found.project}/${found.element} has no files`);
}
