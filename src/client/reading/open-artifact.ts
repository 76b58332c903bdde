import type { ArtifactContent, TreeName } from "../../artifact/artifact-content.ts";
import { treeNames } from "../../artifact/artifact-content.ts";
import { contentOfCommit, contentOfDirectory } from "../../artifact/directory-content.ts";
import { contentOfMessage } from "../../artifact/message-content.ts";
import { StillageError } from "../../base/errors.ts";
import { maxProtoBytes } from "../../cache/artifact-needs.ts";
import { readMessage } from "../../cache/read-message.ts";
import type { BlobReader } from "../../store/blob-store.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { PlaceReader, type ReadableBlobs } from "../blob-reader.ts";
import { shownArtifact } from "../meant-artifacts.ts";
import type { Place } from "../place.ts";
import { blobContents, type FileContents, fileObjectContents } from "./file-contents.ts";
import { readCommitTree, readTree, type WholeTree } from "./whole-tree.ts";

/** An artifact that can be read, wherever its blobs are. */
export interface OpenArtifact {
  readonly artifact: IndexedArtifact;
  /** For views of `src/artifact/`. */
  readonly reader: BlobReader;
  /** `undefined` for a commit, whose objects are no blobs of a place. */
  readonly blobs: ReadableBlobs | undefined;
  readonly files: FileContents;
  /** What it says of itself. Errors: `not-found` where that is not there; `invalid`. */
  content(): Promise<ArtifactContent>;
}

/** `blobs` are those of the place, or several as one. Errors: `unsupported` for a place that has names alone. */
export function openArtifact(
  artifact: IndexedArtifact,
  place: Pick<Place, "name" | "commits">,
  blobs: ReadableBlobs | undefined,
  signal: AbortSignal,
): OpenArtifact {
  const commits = artifact.generation === "1.0" ? place.commits?.blobs : undefined;
  if (commits === undefined && blobs === undefined) {
    throw new StillageError("unsupported", `${place.name} has the names of artifacts and not what is in them`, {
      hint: "name a server that has the storage as well",
    });
  }
  const reader = commits ?? new PlaceReader(blobs as ReadableBlobs, signal);
  const files = artifact.generation === "1.0" ? fileObjectContents(reader) : blobContents(blobs as ReadableBlobs);
  let content: Promise<ArtifactContent> | undefined;
  return {
    artifact,
    reader,
    blobs: commits === undefined ? blobs : undefined,
    files,
    content: () => {
      content ??= contentOf(artifact, reader, place.name);
      return content;
    },
  };
}

async function contentOf(artifact: IndexedArtifact, reader: BlobReader, where: string): Promise<ArtifactContent> {
  const { generation, content, message } = artifact;
  if (generation === "1.0") return contentOfCommit(reader, content);
  if (generation === "1.x") return contentOfDirectory(reader, content);
  if (content.size > maxProtoBytes) throw new StillageError("unsupported", "the artifact's message is too large");
  const bytes = message ?? (await readMessage(reader, content));
  if (bytes !== undefined) return contentOfMessage(bytes, content.function);
  throw new StillageError("not-found", `what ${shownArtifact(artifact)} consists of is not in ${where}`, {
    hint: "its next build brings it again",
  });
}

/** A tree of an artifact, with all of its directories. Errors: `not-found` for one that it has not. */
export async function treeOf(open: OpenArtifact, name: TreeName, signal: AbortSignal): Promise<WholeTree> {
  const { trees, problems } = await open.content();
  const root = trees[name];
  if (root === undefined) {
    const there = treeNames.filter((each) => trees[each] !== undefined);
    const [why] = there.length === 0 ? problems : [];
    throw new StillageError("not-found", `${shownArtifact(open.artifact)} has no ${name}`, {
      hint: why ?? (there.length === 0 ? "it has no tree at all" : `it has ${there.join(", ")}`),
    });
  }
  if (open.artifact.generation === "1.0") return readCommitTree(open.reader, root, signal);
  return readTree(open.blobs as ReadableBlobs, root, signal);
}
