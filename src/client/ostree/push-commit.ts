import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromFileSystem } from "../../base/errors.ts";
import { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { CommitSource, TakeOptions } from "../commit-store.ts";
import { commitArchive, objectsOfCommit } from "./commit-archive.ts";
import { checkedRefs, takeIntoRepository } from "./repository-store.ts";
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

interface StagedCommit extends AsyncDisposable {
  readonly repository: ArchiveRepository;
}

async function onDisk(artifact: IndexedArtifact, from: CommitSource, signal: AbortSignal): Promise<StagedCommit> {
  const { repository } = from;
  if (repository?.has(artifact.content.hash, "commit")) return { repository, [Symbol.asyncDispose]: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), "stillage-commit-")).catch((error: unknown) => {
    throw fromFileSystem(error, `no directory can be made in ${tmpdir()}`);
  });
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const own = await ArchiveRepository.init(join(folder, "repository"));
    await takeIntoRepository(own, artifact, from, { signal }, "leave");
    return { repository: own, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
