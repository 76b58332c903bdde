import { isDeepStrictEqual } from "node:util";
import { StillageError } from "../../base/errors.ts";
import { type Dictionary, lookUp } from "../../base/gvariant/value.ts";
import { maxMetadataBytes } from "../metadata-limit.ts";
import type { Checksum } from "../object-name.ts";
import { isRefName } from "../ref-name.ts";
import { decodeSummary } from "../summary.ts";
import type { ArchiveRepository, StoredSummary } from "./archive-repository.ts";
import type { ObjectSource } from "./object-source.ts";
import { type PruneReport, pruneRepository } from "./prune-repository.ts";
import { type PullProgress, pullCommits } from "./pull.ts";
import { gather } from "./put-foreign.ts";

/** How often the summary is read again that changed while its signature was. */
const summaryAttempts = 5;

export interface MirrorOptions {
  /** How many ancestors of each ref come along; all that the source has, unless it is said. */
  readonly depth?: number;
  /** Whether what the source has not got any more goes here, too: refs, and then all that no ref needs. */
  readonly remove?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
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
 * Errors: `not-found` where the source has no summary, `unavailable` where that does not stand still, those of `pullCommits`; nothing has changed then.
 */
export async function mirrorRepository(
  target: ArchiveRepository,
  source: ObjectSource,
  options: MirrorOptions = {},
): Promise<MirrorReport> {
  const { remove = false, depth = Number.POSITIVE_INFINITY, signal, onProgress } = options;
  const { summary, refs, hasDeltas } = await readSummary(source);
  const shared = signal === undefined ? {} : { signal };
  const change = await target.begin(shared);
  try {
    const progress = onProgress === undefined ? {} : { onProgress };
    const pulled = await pullCommits(change, source, new Set(refs.values()), { depth, ...shared, ...progress });
    const before = await target.refs();
    let changedRefs = 0;
    const set = (name: string, commit: Checksum | undefined): void => {
      change.setRef(name, commit);
      changedRefs++;
    };
    for (const [name, commit] of refs) if (before.get(name)?.commit !== commit) set(name, commit);
    if (remove) for (const name of before.keys()) if (!refs.has(name)) set(name, undefined);
    // With refs of its own, the target has another summary than the source.
    const isSame = !hasDeltas && [...before.keys()].every((name) => remove || refs.has(name));
    await change.publish({ summary: isSame ? summary : "refresh" });
    const pruned = remove ? await pruneRepository(target, { keep: {}, ...shared }) : undefined;
    return { changedRefs, pulled, pruned };
  } finally {
    await change.abort();
  }
}

interface SourceSummary {
  readonly summary: StoredSummary;
  readonly refs: ReadonlyMap<string, Checksum>;
  readonly hasDeltas: boolean;
}

/** A summary and the signature that belongs to it. Some programs replace the one first, others the other: what is found the same twice is a pair. */
async function readSummary(source: ObjectSource): Promise<SourceSummary> {
  let before = await readPair(source);
  for (let attempt = 1; attempt <= summaryAttempts; attempt++) {
    const pair = await readPair(source);
    if (isDeepStrictEqual(pair, before)) return parsed(pair);
    before = pair;
  }
  throw new StillageError(
    "unavailable",
    "the source's summary changes all the time, or has another signature each time",
    {
      hint: "try again when nobody publishes there",
    },
  );
}

async function readPair(source: ObjectSource): Promise<StoredSummary> {
  const signature = await read(source, "summary.sig");
  const bytes = await read(source, "summary");
  if (bytes !== undefined) return { bytes, signature };
  throw new StillageError("not-found", "the source has no summary, which says what refs it has", {
    hint: "`ostree summary -u` in that repository makes one",
  });
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
