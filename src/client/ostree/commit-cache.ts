import { StillageError } from "../../base/errors.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { ArchiveRepository, type ChangeOptions } from "../../ostree/archive/archive-repository.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import type { ObjectSource } from "../../ostree/archive/object-source.ts";
import { type PruneReport, pruneRepository } from "../../ostree/archive/prune-repository.ts";
import { lockRepository } from "../../ostree/archive/repository-lock.ts";
import type { ArtifactIndex, IndexedArtifact } from "../artifact-index.ts";
import type { CommitStore } from "../commit-store.ts";
import { bareUserSource, isBareUserRepository } from "./bare-user-source.ts";
import { CommitIndex, type CommitNames } from "./commit-index.ts";
import type { NamedCommit } from "./named-commits.ts";
import { ObjectBlobs } from "./object-blobs.ts";
import { checkedRefs, repositoryNames, takeIntoRepository } from "./repository-store.ts";

/** How long somebody else who makes the repository is waited for. */
const patienceMs = 30_000;

/** Artifacts of BuildStream 1.0 on this machine. Disposing prunes, where names were removed. */
export interface CommitCache extends AsyncDisposable {
  readonly index: ArtifactIndex;
  readonly commits: CommitStore;
  /** Removes the names that lead to an artifact, those that are told. What nothing leads to any more goes by `prune`. Gives how many there were. */
  remove(artifact: IndexedArtifact): Promise<number>;
  /** Removes what no name leads to; `undefined` where there is no repository. */
  prune(signal: AbortSignal): Promise<PruneReport | undefined>;
}

/**
 * The repository of mode `archive` in `directory`, which every `ostree` reads. It is made when the first artifact comes: until then nothing is found. It has no summary, which would be
 * written with every artifact: `ostree summary -u` makes one where it is to be served.
 * `beside`: where BuildStream 1.0 itself may have a cache, of mode `bare-user`; the artifacts of the first that is one are found and read as well.
 */
export function openCommitCache(directory: string, beside: readonly string[] = []): CommitCache {
  const opened = new Repository(directory);
  const theirs = beside.find(isBareUserRepository);
  const objects =
    theirs === undefined ? directorySource(directory) : either(directorySource(directory), bareUserSource(theirs));
  const blobs = new ObjectBlobs(objects);
  const places = [directory, ...(theirs === undefined ? [] : [theirs])].map(repositoryNames);
  const index = new CommitIndex(namesOf(places), blobs);
  let isPruneDue = false;
  const prune = async (options?: ChangeOptions): Promise<PruneReport | undefined> => {
    const repository = await opened.ifThere();
    isPruneDue = false;
    return repository && pruneRepository(repository, { keep: {}, ...options });
  };
  return {
    index,
    commits: {
      objects,
      blobs,
      get repository() {
        return opened.known;
      },
      take: async (artifact, from, options) =>
        takeIntoRepository(await opened.made(), artifact, from, options, "leave"),
    },
    async remove(artifact) {
      const repository = await opened.ifThere();
      if (repository === undefined) return 0;
      await using change = await repository.begin();
      let removed = 0;
      for (const name of checkedRefs(artifact)) {
        if ((await repository.ref(name)) !== artifact.content.hash) continue;
        change.setRef(name, undefined);
        removed++;
      }
      await change.publish({ summary: "leave" });
      isPruneDue ||= removed > 0;
      return removed;
    },
    prune: (signal) => prune({ signal }),
    async [Symbol.asyncDispose]() {
      if (isPruneDue) await prune();
    },
  };
}

/** The refs of several repositories, of which the first goes before the others. One that is not there has none. */
function namesOf(places: readonly CommitNames[]): CommitNames {
  return {
    near: true,
    sizeOf: () => undefined,
    async find(question, signal) {
      for (const place of places) {
        const found = await place.find(question, signal);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    async list(globs, signal) {
      const listed = await Promise.all(places.map((place) => place.list(globs, signal)));
      const once = new Map<string, NamedCommit>();
      for (const each of listed.flatMap((some) => [...some])) {
        const name = `${each.project}/${each.element}/${each.commit}`;
        if (!once.has(name)) once.set(name, each);
      }
      return once.values();
    },
  };
}

/** What is in the first, or else in the second. */
function either(first: ObjectSource, second: ObjectSource): ObjectSource {
  return { get: async (path, maxBytes) => (await first.get(path, maxBytes)) ?? second.get(path, maxBytes) };
}

/** A repository that may not be there yet. */
class Repository {
  known: ArchiveRepository | undefined;
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async ifThere(): Promise<ArchiveRepository | undefined> {
    try {
      this.known ??= await ArchiveRepository.open(this.directory);
    } catch (error) {
      if (!(error instanceof StillageError) || error.code !== "not-found") throw error;
    }
    return this.known;
  }

  /** Of several that make it in the same moment, in whatever processes, one does, and the others find it. */
  async made(): Promise<ArchiveRepository> {
    const there = await this.ifThere();
    if (there !== undefined) return there;
    await makeFolder(this.directory);
    const lock = await lockRepository(this.directory, patienceMs);
    try {
      this.known = (await this.ifThere()) ?? (await ArchiveRepository.init(this.directory));
      return this.known;
    } finally {
      lock.release();
    }
  }
}
