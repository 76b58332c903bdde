import { StillageError } from "../../base/errors.ts";
import { isCachedRef } from "../../cache/cached-ref.ts";
import type { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";
import { pullCommits } from "../../ostree/archive/pull.ts";
import { listRefs, refsBelow } from "../../ostree/archive/ref-files.ts";
import type { Checksum } from "../../ostree/object-name.ts";
import { isRefName, parseRefName } from "../../ostree/ref-name.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { CommitSource, TakeOptions } from "../commit-store.ts";
import type { CommitNames } from "./commit-index.ts";
import { NamedCommits, refsOf } from "./named-commits.ts";

/** How long another writer of the repository is waited for, once all has come: it checks and moves files, and then is done. */
const patienceMs = 300_000;

/** How often a pull is begun again beside which others prune. */
const attempts = 3;

/** The refs of a repository on this machine. */
export function repositoryNames(directory: string): CommitNames {
  return {
    near: true,
    async find(question) {
      const { project, element } = question;
      if (!isRefName(`${project}/${element}`)) return undefined;
      const refs = await refsBelow(directory, `${project}/${element}`);
      return new NamedCommits([...refs].map(([name, { commit }]) => [name, commit])).find(question);
    },
    async list(globs) {
      const refs = await listRefs(directory);
      return new NamedCommits([...refs].map(([name, { commit }]) => [name, commit])).list(globs);
    },
    sizeOf: () => undefined,
  };
}

/**
 * Brings an artifact's commit into a repository, with all that it needs, and has its refs lead there. Nobody else is kept from writing while it comes. What a kill or a failure leaves: no
 * ref, and objects that nothing leads to, with which the next try goes on (after a kill, without those that were on their way then).
 * `summary`: whether the list of refs is made anew each time. Errors: see `CommitStore.take`.
 */
export async function takeIntoRepository(
  repository: ArchiveRepository,
  artifact: IndexedArtifact,
  from: Pick<CommitSource, "objects">,
  options: TakeOptions,
  summary: "refresh" | "leave",
): Promise<"published" | "present"> {
  const commit = artifact.content.hash;
  const refs = checkedRefs(artifact);
  if (await leadTo(repository, refs, commit)) return "present";
  for (let attempt = 1; ; attempt++) {
    try {
      await bring(repository, refs, commit, from, options, summary);
      return "published";
    } catch (error) {
      // Somebody has removed what no name led to, and what was found to be there with it.
      if (!(error instanceof StillageError) || error.code !== "aborted" || attempt === attempts) throw error;
    }
  }
}

async function bring(
  repository: ArchiveRepository,
  refs: readonly string[],
  commit: Checksum,
  from: Pick<CommitSource, "objects">,
  { signal, onProgress }: TakeOptions,
  summary: "refresh" | "leave",
): Promise<void> {
  const change = await repository.beginBeside();
  const told = { objects: 0, bytes: 0 };
  try {
    await pullCommits(change, from.objects, [commit], {
      signal,
      onProgress({ objects, bytes }) {
        onProgress?.(objects - told.objects, bytes - told.bytes);
        Object.assign(told, { objects, bytes });
      },
    });
    await change.joinAlone([commit], { signal, patienceMs });
    for (const name of refs) change.setRef(name, commit);
    await change.publish({ summary });
  } catch (error) {
    // What keeps that from being is no news beside what went wrong first.
    await change.abort({ keep: true }).catch(() => {});
    throw error;
  }
}

/** The refs that are to lead to an artifact. Errors: `invalid` where it has a name that no ref can have. */
export function checkedRefs(artifact: IndexedArtifact): string[] {
  const refs = refsOf(artifact).map(parseRefName);
  const odd = refs.find((name) => !isCachedRef(name));
  if (odd === undefined && refs.length > 0) return refs;
  throw new StillageError("invalid", `${odd ?? "no name"} is not the name of an artifact, PROJECT/ELEMENT/KEY`);
}

async function leadTo(repository: ArchiveRepository, refs: readonly string[], commit: Checksum): Promise<boolean> {
  if (!repository.has(commit, "commit") || repository.isPartial(commit)) return false;
  for (const name of refs) if ((await repository.ref(name)) !== commit) return false;
  return true;
}
