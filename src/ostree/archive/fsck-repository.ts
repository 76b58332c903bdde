import { checkMetadata } from "../check-metadata.ts";
import { readFilez } from "../filez.ts";
import { type Checksum, type ObjectName, objectFileName } from "../object-name.ts";
import type { ArchiveRepository } from "./archive-repository.ts";
import { Findings, type FsckProblem, textOf } from "./fsck-findings.ts";
import { checkBeside, checkRefs } from "./fsck-names.ts";
import { Lanes } from "./lanes.ts";
import { reachTree } from "./reachable.ts";
import { ObjectSet, storedFiles } from "./stored-objects.ts";

/** Objects that are read and hashed at the same time. */
const atOnce = 8;

export interface FsckReport {
  readonly commits: number;
  /** Commits that say of themselves that not all is there. */
  readonly partial: number;
  readonly objects: number;
  readonly refs: number;
  /** Objects to which no commit leads: pruning removes them. */
  readonly loose: number;
  readonly problems: readonly FsckProblem[];
  /** Of very many problems the first are told. */
  readonly problemCount: number;
}

export interface FsckOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly objects: number }) => void;
}

/**
 * Reads everything in a repository: every object has the bytes of its checksum and the form of its type, every commit has all that it needs, every ref leads to a
 * commit, and the summary says the same as the refs. Changes nothing, and takes no lock: it is told of what is published meanwhile as it happens to find it.
 */
export async function fsckRepository(repository: ArchiveRepository, options: FsckOptions = {}): Promise<FsckReport> {
  const findings = new Findings();
  const there = new ObjectSet();
  const commits: Checksum[] = [];
  let objects = 0;
  const lanes = new Lanes(atOnce);
  for await (const file of storedFiles(repository.directory)) {
    options.signal?.throwIfAborted();
    const { object } = file;
    await lanes.take();
    if (object === undefined) {
      void lanes.run(() => checkBeside(repository, file, findings));
      continue;
    }
    there.add(object);
    if (object.type === "commit") commits.push(object.checksum);
    void lanes.run(() => verify(repository, object, findings));
    objects++;
    options.onProgress?.({ objects });
  }
  await lanes.drain();
  const { reached, partial } = await checkCommits(repository, commits, there, findings, options.signal);
  const refs = await checkRefs(repository, findings);
  const { told: problems, count: problemCount } = findings;
  return { commits: commits.length, partial, objects, refs, loose: there.outside(reached), problems, problemCount };
}

async function verify(repository: ArchiveRepository, object: ObjectName, findings: Findings): Promise<void> {
  const { checksum, type } = object;
  try {
    if (type === "file") {
      const stored = await repository.openFilez(checksum);
      if (stored === undefined) return; // pruned meanwhile
      const { content } = await readFilez(stored.content, checksum);
      for await (const _piece of content);
    } else {
      const bytes = await repository.readMetadata(checksum, type);
      if (bytes !== undefined) checkMetadata(type, bytes);
    }
  } catch (error) {
    findings.tell("damaged", objectFileName(object), textOf(error));
  }
}

async function checkCommits(
  repository: ArchiveRepository,
  commits: readonly Checksum[],
  there: ObjectSet,
  findings: Findings,
  signal: AbortSignal | undefined,
): Promise<{ reached: ObjectSet; partial: number }> {
  const reached = new ObjectSet();
  let partial = 0;
  for (const checksum of commits) {
    signal?.throwIfAborted();
    reached.add({ checksum, type: "commit" });
    const isPartial = repository.isPartial(checksum);
    if (isPartial) partial++;
    const commit = await repository.commit(checksum).catch(() => undefined); // damaged: that was told
    const missing = (name: ObjectName, error?: unknown): void => {
      if (error === undefined && !isPartial) {
        findings.tell("missing", objectFileName(name), `the commit ${checksum} needs it`);
      }
    };
    if (commit !== undefined) await reachTree(repository, commit, reached, missing, (name) => there.has(name));
  }
  return { reached, partial };
}
