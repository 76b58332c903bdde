import { contentOfDirectory } from "../../artifact/directory-content.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import type { RepositoryChange } from "../../ostree/archive/repository-change.ts";
import type { BlobReader } from "../../store/blob-store.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { TakeOptions } from "../commit-store.ts";
import type { Place } from "../place.ts";
import { commitToDirectory } from "./commit-to-directory.ts";
import { directoryToCommit } from "./directory-to-commit.ts";
import { ObjectBlobs } from "./object-blobs.ts";
import { temporaryRepository } from "./temporary-repository.ts";

/** Reads the blobs of a place as the views of artifacts do. */
export type ReaderOf = (place: Place, signal: AbortSignal) => BlobReader;

/**
 * Copies an artifact in the form of another generation, under its own names: a commit of BuildStream 1.0 or 1.1 as a Directory of 1.1.4 to 1.6, or the other way round. Files, logs and metadata stay byte
 * by byte, and so does what the metadata files are called, by which the releases differ. So it is for who wants to keep, look at or check out what old builds have made, where the old
 * form has no place; no BuildStream asks for it, because each of these generations has keys of its own (1.1.3 and 1.1.4 alone may share some). Artifacts of 1.9x and 2 are messages that say more than a
 * tree can, and are not converted. Errors: `unsupported`, also for what the other form cannot keep (`commitToDirectory`); those of the places.
 */
export async function convertArtifact(
  artifact: IndexedArtifact,
  from: Place,
  to: Place,
  readerOf: ReaderOf,
  options: TakeOptions,
): Promise<"published" | "present"> {
  const { generation } = artifact;
  if (generation === "1.0") return asDirectory(artifact, from, to, readerOf, options);
  if (generation === "1.x") return asCommit(artifact, from, to, readerOf, options);
  throw new StillageError("unsupported", `artifacts of BuildStream ${generation} have no form in other generations`);
}

async function asDirectory(
  artifact: IndexedArtifact,
  from: Place,
  to: Place,
  readerOf: ReaderOf,
  { signal }: TakeOptions,
): Promise<"published" | "present"> {
  const { commits } = from;
  const { index, blobs } = to;
  if (commits === undefined) throw new StillageError("unsupported", `${from.name} has no artifacts of BuildStream 1.0`);
  if (index === undefined || blobs === undefined || !index.generations.includes("1.x")) {
    throw new StillageError("unsupported", `${to.name} takes no artifacts of BuildStream 1.1.4 to 1.6`);
  }
  const root = await commitToDirectory(artifact.content, commits.blobs, blobs, signal);
  await blobs.flush();
  const content = await contentOfDirectory(readerOf(to, signal), root);
  return index.publish({ ...artifact, generation: "1.x", content: root }, content, signal);
}

async function asCommit(
  artifact: IndexedArtifact,
  from: Place,
  to: Place,
  readerOf: ReaderOf,
  options: TakeOptions,
): Promise<"published" | "present"> {
  const take = to.commits?.take;
  if (take === undefined) throw new StillageError("unsupported", `${to.name} takes no artifacts of BuildStream 1.0`);
  const { signal } = options;
  await using passing = await temporaryRepository();
  const { repository } = passing;
  const made = await inChange(repository, (change) =>
    directoryToCommit(artifact.content, readerOf(from, signal), change, signal),
  );
  const objects = directorySource(repository.directory);
  const content = { function: sha256, hash: made.commit, size: made.size };
  const source = { objects, blobs: new ObjectBlobs(objects), repository };
  return await take({ ...artifact, generation: "1.0", content, message: undefined }, source, options);
}

/** What is put into a repository by itself, without a name. */
async function inChange<T>(repository: ArchiveRepository, put: (change: RepositoryChange) => Promise<T>): Promise<T> {
  await using change = await repository.begin();
  const made = await put(change);
  await change.publish({ summary: "leave" });
  return made;
}
