import type { IndexedArtifact } from "../artifact-index.ts";
import type { CommitSource, TakeOptions } from "../commit-store.ts";
import { commitArchive, objectsOfCommit } from "./commit-archive.ts";
import { checkedRefs, takeIntoRepository } from "./repository-store.ts";
import { type TemporaryRepository, temporaryRepository } from "./temporary-repository.ts";
import type { WebNames } from "./web-names.ts";

/** Sends a commit's objects, a tar stream, and has refs lead to it. Whatever breaks off changes no ref. */
export type Push = (
  refs: readonly string[],
  commit: string,
  archive: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
) => Promise<void>;

/**
 * Pushes an artifact's commit into a repository elsewhere, all of it in one go, as the protocols of 1.0 have it: they cannot be asked what is missing, nor gone on with. What comes from another
 * network is brought here first, into a directory for temporary files (TMPDIR), which is removed however this ends. Errors: see `CommitStore.take`.
 */
export async function pushCommit(
  artifact: IndexedArtifact,
  from: CommitSource,
  names: WebNames,
  push: Push,
  options: TakeOptions,
): Promise<"published" | "present"> {
  const { signal, onProgress = () => {} } = options;
  const commit = artifact.content.hash;
  const refs = checkedRefs(artifact);
  if (refs.every((ref) => names.get(ref) === commit)) return "present";
  await using staged = await onDisk(artifact, from, signal);
  const objects = await objectsOfCommit(staged.repository, commit);
  signal.throwIfAborted();
  await push(refs, commit, commitArchive(staged.repository, objects, onProgress), signal);
  for (const ref of refs) names.note(ref, commit);
  return "published";
}

async function onDisk(
  artifact: IndexedArtifact,
  from: CommitSource,
  signal: AbortSignal,
): Promise<TemporaryRepository> {
  const { repository } = from;
  if (repository?.has(artifact.content.hash, "commit")) return { repository, [Symbol.asyncDispose]: async () => {} };
  const staged = await temporaryRepository();
  try {
    await takeIntoRepository(staged.repository, artifact, from, { signal }, "leave");
    return staged;
  } catch (error) {
    await staged[Symbol.asyncDispose]();
    throw error;
  }
}
