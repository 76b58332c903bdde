import { StillageError } from "../../base/errors.ts";
import { type Dictionary, lookUp } from "../../base/gvariant/value.ts";
import { decodeCommit } from "../commit.ts";
import { maxMetadataBytes } from "../metadata-limit.ts";
import type { Checksum } from "../object-name.ts";
import { isRefName } from "../ref-name.ts";
import { decodeSummary } from "../summary.ts";
import type { ArchiveRepository, StoredSummary } from "./archive-repository.ts";
import type { ObjectSource } from "./object-source.ts";
import { type PruneReport, pruneRepository } from "./prune-repository.ts";
import { type OfferedCommit, type PullProgress, pullCommits } from "./pull.ts";
import { gather } from "./put-foreign.ts";
import type { RepositoryChange } from "./repository-change.ts";

/** How often the summary is read again that changed while its signature was. */
const summaryAttempts = 5;

export interface MirrorOptions {
  /** How many ancestors of each ref come along; all that the source has, unless it is said. */
  readonly depth?: number;
  /** Whether what the source has not got any more goes here, too: refs, and then all that no ref needs. */
  readonly remove?: boolean;
  /** Refuse to move a ref that is here to a commit that does not have what it is at among its ancestors. */
  readonly onlyForward?: boolean;
  readonly guard?: MirrorGuard;
  /** Signs the summary where it is not the source's: see `PublishOptions`. */
  readonly signSummary?: (summary: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
}

/** Who decides what of a source is taken. Whatever it throws, nothing has changed. */
export interface MirrorGuard {
  /** The list of refs, before anything is asked for. */
  summary(summary: StoredSummary): Promise<void>;
  /** See `PullOptions`. */
  commit(offered: OfferedCommit): Promise<boolean>;
  /** All that is needed has come; what follows is the publication. */
  ready(): Promise<void>;
}

export interface MirrorReport {
  /** Refs that were set or removed. */
  readonly changedRefs: number;
  readonly pulled: PullProgress;
  /** What `remove` came to. */
  readonly pruned: PruneReport | undefined;
}

/**
 * Makes a repository the same as another: objects first, each verified; then detached metadata, refs, and the summary with its signature, byte by byte; deletions last. Whoever
 * reads it meanwhile sees the old refs or the new ones, and all that they need. Static deltas do not come along: the summary of a source that lists some is
 * written anew, without its signature.
 * Errors: `not-found` where the source has no summary, `failed-precondition` for refs that would not go forward, those of the guard, of `signSummary` and of `pullCommits`; nothing
 * has changed then.
 */
export async function mirrorRepository(
  target: ArchiveRepository,
  source: ObjectSource,
  options: MirrorOptions = {},
): Promise<MirrorReport> {
  const { remove = false, depth = Number.POSITIVE_INFINITY, onlyForward = false } = options;
  const { guard, signSummary, signal, onProgress } = options;
  const { summary, refs, hasDeltas } = await readSummary(source);
  await guard?.summary(summary);
  const shared = signal === undefined ? {} : { signal };
  const change = await target.begin(shared);
  try {
    const progress = onProgress === undefined ? {} : { onProgress };
    const judged = guard === undefined ? {} : { judge: guard.commit.bind(guard) };
    const pullOptions = { depth, ...shared, ...progress, ...judged };
    const pulled = await pullCommits(change, source, new Set(refs.values()), pullOptions);
    const before = await target.refs();
    let changedRefs = 0;
    const set = (name: string, commit: Checksum | undefined): void => {
      change.setRef(name, commit);
      changedRefs++;
    };
    for (const [name, commit] of refs) {
      const at = before.get(name)?.commit;
      if (at === commit) continue;
      if (onlyForward && at !== undefined) await checkForward(change, name, at, commit);
      set(name, commit);
    }
    if (remove) for (const name of before.keys()) if (!refs.has(name)) set(name, undefined);
    // With refs of its own, the target has another summary than the source.
    const isSame = !hasDeltas && [...before.keys()].every((name) => remove || refs.has(name));
    await guard?.ready();
    await change.publish({ summary: isSame ? summary : "refresh", ...(signSummary && { signSummary }) });
    const pruned = remove ? await pruneRepository(target, { keep: {}, ...shared }) : undefined;
    return { changedRefs, pulled, pruned };
  } finally {
    await change.abort();
  }
}

/** Errors: `failed-precondition` where `to` does not follow on `from`, as far as is known. */
async function checkForward(change: RepositoryChange, name: string, from: Checksum, to: Checksum): Promise<void> {
  for (let next: Checksum | undefined = to; next !== undefined; ) {
    const bytes: Uint8Array | undefined = await change.readMetadata(next, "commit");
    next = bytes && decodeCommit(bytes).parent;
    if (next === from) return;
  }
  throw new StillageError("failed-precondition", `${name} of the source is at ${to}, which does not follow on ${from}`);
}

interface SourceSummary {
  readonly summary: StoredSummary;
  readonly refs: ReadonlyMap<string, Checksum>;
  readonly hasDeltas: boolean;
}

/** A summary and the signature that belongs to it: where either changed meanwhile, both are read again. */
async function readSummary(source: ObjectSource): Promise<SourceSummary> {
  for (let attempt = 1; ; attempt++) {
    const signature = await read(source, "summary.sig");
    const bytes = await read(source, "summary");
    const again = await read(source, "summary.sig");
    if (bytes === undefined) {
      throw new StillageError("not-found", "the source has no summary, which says what refs it has", {
        hint: "`ostree summary -u` in that repository makes one",
      });
    }
    const isPair = signature === again || (signature && again && Buffer.compare(signature, again) === 0);
    if (isPair || attempt === summaryAttempts) return parsed({ bytes, signature: again });
  }
}

function parsed(summary: StoredSummary): SourceSummary {
  const { refs, metadata } = decodeSummary(summary.bytes);
  const odd = refs.find(({ name }) => !isRefName(name));
  if (odd !== undefined) {
    throw new StillageError("invalid", `the source has a ref of the name ${JSON.stringify(odd.name.slice(0, 200))}`);
  }
  return { summary, refs: new Map(refs.map(({ name, commit }) => [name, commit])), hasDeltas: listsDeltas(metadata) };
}

function listsDeltas(metadata: Dictionary): boolean {
  const deltas = lookUp(metadata, "ostree.static-deltas", "a{sv}") as Dictionary | undefined;
  return deltas !== undefined && deltas.length > 0;
}

async function read(source: ObjectSource, path: string): Promise<Uint8Array | undefined> {
  const content = await source.get(path, maxMetadataBytes);
  return content && gather(content, maxMetadataBytes);
}
