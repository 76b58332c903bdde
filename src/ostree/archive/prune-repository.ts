import { rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import type { Checksum } from "../object-name.ts";
import type { ArchiveRepository, ChangeOptions } from "./archive-repository.ts";
import { syncDirectory, writeNewFile } from "./durable-file.ts";
import { reachTree } from "./reachable.ts";
import { otherHeads, readOtherHead } from "./ref-files.ts";
import { detachedPath, partialPath, tombstonePath } from "./repository-layout.ts";
import { removeDelta, staticDeltas } from "./static-deltas.ts";
import { ObjectSet, type StoredFile, storedFiles } from "./stored-objects.ts";
import { tombstone } from "./tombstone.ts";

/** Which commits stay. Those to which refs lead always do, also refs that are not ours: see `otherHeads`. */
export interface Keep {
  /** How many ancestors of each ref: all, unless it is said. */
  readonly depth?: number;
  /** Ancestors made since then stay, too, whatever their depth; seconds since 1970. */
  readonly youngerThan?: number;
  /** Other commits that stay, such as those that are prepared and not published, without their ancestors. */
  readonly commits?: Iterable<Checksum>;
}

export interface PruneOptions extends ChangeOptions {
  readonly keep: Keep;
  /** Removes nothing, and reports what would be. */
  readonly dryRun?: boolean;
}

export interface PruneReport {
  readonly keptCommits: number;
  readonly removedCommits: number;
  readonly removedObjects: number;
  /** Stored bytes of what was removed. */
  readonly removedBytes: number;
  readonly removedDeltas: number;
}

/**
 * Removes all objects that the commits to keep do not need, as the only writer. Commits go first, with what is beside them, then the rest: a crash in between
 * leaves objects that nobody needs, never a commit without its own; the next run removes them.
 * Errors: `corrupt` where what is to be kept cannot be read in full, with nothing removed.
 */
export async function pruneRepository(repository: ArchiveRepository, options: PruneOptions): Promise<PruneReport> {
  await using _change = await repository.begin(options);
  const { directory } = repository;
  const { reached, commits } = await toKeep(repository, options);
  const gone: Checksum[] = [];
  const objects: StoredFile[] = [];
  let removedBytes = 0;
  for await (const file of storedFiles(directory)) {
    options.signal?.throwIfAborted();
    const { object } = file;
    if (object === undefined || reached.has(object)) continue;
    if (object.type === "commit") gone.push(object.checksum);
    else objects.push(file);
    removedBytes += (await stat(join(directory, file.path))).size;
  }
  const deltas = (await staticDeltas(directory)).filter((delta) => delta.commits.some((each) => !commits.has(each)));
  if (options.dryRun !== true) {
    for (const delta of deltas) await removeDelta(directory, delta);
    await removeCommits(repository, gone);
    for (const { path } of objects) await rm(join(directory, path));
  }
  return {
    keptCommits: commits.size,
    removedCommits: gone.length,
    removedObjects: gone.length + objects.length,
    removedBytes,
    removedDeltas: deltas.length,
  };
}

async function toKeep(
  repository: ArchiveRepository,
  { keep, signal }: PruneOptions,
): Promise<{ reached: ObjectSet; commits: ReadonlySet<Checksum> }> {
  const { depth = Number.POSITIVE_INFINITY, youngerThan = Number.POSITIVE_INFINITY } = keep;
  const commits = new Set<Checksum>(keep.commits);
  const heads = [...(await repository.refs()).values()].map(({ commit }) => commit);
  for (const name of await otherHeads(repository.directory)) {
    const commit = await readOtherHead(repository.directory, name);
    if (commit !== undefined) heads.push(commit);
  }
  for (const head of heads) {
    let next: Checksum | undefined = head;
    const line = new Set<Checksum>();
    for (let generation = 0; next !== undefined && !line.has(next); generation++) {
      signal?.throwIfAborted();
      const commit = await repository.commit(next);
      if (commit === undefined && generation === 0) throw leadsNowhere(next);
      if (commit === undefined) break; // history ends where an earlier pruning, or the pull, ended it
      if (generation > depth && commit.timestamp < youngerThan) break;
      line.add(next);
      commits.add(next);
      next = commit.parent;
    }
  }
  const reached = new ObjectSet();
  for (const checksum of commits) {
    signal?.throwIfAborted();
    reached.add({ checksum, type: "commit" });
    const commit = await repository.commit(checksum);
    const unreadable = (name: { checksum: Checksum; type: string }, cause?: unknown): void => {
      if (cause === undefined && repository.isPartial(checksum)) return;
      throw new StillageError("corrupt", `the ${name.type} ${name.checksum} that is to be kept cannot be read`, {
        cause,
      });
    };
    if (commit !== undefined) await reachTree(repository, commit, reached, unreadable);
  }
  return { reached, commits };
}

const leadsNowhere = (commit: Checksum): StillageError =>
  new StillageError("corrupt", `a ref leads to the commit ${commit}, which is not there: nothing is pruned`);

async function removeCommits(repository: ArchiveRepository, commits: readonly Checksum[]): Promise<void> {
  const { directory, config } = repository;
  const folders = new Set<string>();
  for (const commit of commits) {
    const path = tombstonePath(commit);
    if (config.tombstoneCommits) {
      await rm(join(directory, path), { force: true });
      await writeNewFile(join(directory, path), tombstone(commit));
    }
    folders.add(dirname(path));
    await rm(repository.pathOf(commit, "commit"));
    await rm(join(directory, detachedPath(commit)), { force: true });
    await rm(join(directory, partialPath(commit)), { force: true });
  }
  for (const folder of folders) await syncDirectory(join(directory, folder));
}
