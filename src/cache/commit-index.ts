import { type Digest, parseDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import type { Log } from "../base/log.ts";
import { isPromise, type MaybePromise } from "../base/maybe-promise.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { RefListing, RefStore } from "../store/ref-store.ts";
import type { Closure } from "./closure.ts";
import { type CommitEntry, checksumOf, commitEntry } from "./commit-entry.ts";
import { type CommitSnapshot, makeSnapshot, maxSummaryBytes } from "./commit-snapshot.ts";
import { CommitVerifier, type VerifierTiming } from "./commit-verifier.ts";
import { readMessage } from "./read-message.ts";

/** From here on the operator is told that the summary becomes too long. */
const warnBytes = 8 << 20;

/** How often the same is said again, in milliseconds. */
const warnEveryMs = 3_600_000;

/** Names of one commit whose use is recorded when it is pulled. An artifact has two; more come of clients that gave one commit many. */
const maxNames = 64;

/** Commits with something missing that are looked at again before the next summary. There is none, mostly. */
const maxRechecked = 64;

/** The list of all refs, as clients get it. */
export interface SummaryNow {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes. */
  readonly tag: string;
}

/** What is known of the commits of one instance, wherever it is kept. Commits are in hex. */
export interface CommitDesk {
  /** The summary; `undefined` where it is still the one with the tag `known`. */
  summary(known?: string): MaybePromise<SummaryNow | undefined>;
  /** The commit of a ref. */
  head(ref: string): MaybePromise<string | undefined>;
  /**
   * The size of a commit that somebody is going to pull: its refs count as used, and all of its objects, which therefore stay for the time of the lease even where
   * its refs go meanwhile. `undefined` where there is none, or something of it is missing.
   */
  pull(commit: string): MaybePromise<number | undefined>;
  /** What is attached to a commit. */
  detached(commit: string): MaybePromise<Uint8Array | undefined>;
}

export interface CommitIndexOptions {
  readonly instance: string;
  readonly refs: RefStore;
  readonly blobs: BlobReader;
  /** Says what is complete, and that it was used. */
  readonly closure: Pick<Closure, "complete">;
  /** Says the same without a use of anything. */
  readonly quiet: Pick<Closure, "complete">;
  /** Counts blobs that were found to be damaged, and are missing from then on. */
  readonly damage: () => number;
  readonly log: Log;
  /** Milliseconds of a clock that only goes on. */
  readonly now?: () => number;
  readonly timing?: VerifierTiming;
  readonly maxSummaryBytes?: number;
}

/** The counts of the last snapshot. */
export interface CommitCounts {
  readonly summaryBytes: number;
  readonly listed: number;
  readonly leftOut: number;
  readonly damaged: number;
  /** Summaries that were made. */
  readonly made: number;
}

/**
 * The refs of a 1.0 cache as clients see them: a summary, always of what is there now, made when somebody asks after something has changed, once for all who ask.
 * Commits of which something is missing are left out of it. That is found out when one of them is pulled; and where blobs were found damaged, and after the start, by a
 * look at all of them, which takes its time and counts as no use.
 */
export class CommitIndex implements CommitDesk {
  private readonly options: CommitIndexOptions;
  private readonly now: () => number;
  private readonly verifier: CommitVerifier;
  private snapshot: CommitSnapshot | undefined;
  private running: Promise<CommitSnapshot> | undefined;
  private next: Promise<CommitSnapshot> | undefined;
  /** Commits of which something is missing. */
  private readonly damaged = new Set<string>();
  /** Commits have become damaged or whole since the snapshot was made. */
  private stale = false;
  private made = 0;
  /** When each warning was given last. */
  private readonly warned = new Map<string, number>();

  constructor(options: CommitIndexOptions) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    const { quiet, damage, log, timing } = options;
    this.verifier = new CommitVerifier({
      complete: (digest) => quiet.complete([{ walk: "commit", digest }]),
      damage,
      found: (commit) => this.markDamaged(commit, "a look at all commits"),
      log,
      timing,
    });
  }

  summary(known?: string): MaybePromise<SummaryNow | undefined> {
    const give = ({ summary, tag }: CommitSnapshot): SummaryNow | undefined =>
      tag === known ? undefined : { bytes: summary, tag };
    const snapshot = this.current();
    return isPromise(snapshot) ? snapshot.then(give) : give(snapshot);
  }

  async head(ref: string): Promise<string | undefined> {
    const { instance, refs } = this.options;
    const found = await refs.get({ space: "ostree", instance, name: ref });
    const commit = found && checksumOf(commitEntry(found));
    return commit === undefined || this.damaged.has(commit) ? undefined : commit;
  }

  async pull(commit: string): Promise<number | undefined> {
    const { instance, refs, blobs, closure } = this.options;
    const size = await blobs.sizeOf(sha256, commit);
    const entries = await this.entriesOf(commit, size !== undefined);
    if (
      size !== undefined &&
      (await closure.complete([{ walk: "commit", digest: parseDigest(commit, size, sha256) }]))
    ) {
      this.markWhole(commit);
      for (const { name } of entries.slice(0, maxNames)) await refs.get({ space: "ostree", instance, name });
      return size;
    }
    if (entries.length > 0) await this.markDamaged(commit, "somebody who wanted to pull it");
    return undefined;
  }

  async detached(commit: string): Promise<Uint8Array | undefined> {
    const { instance, refs, blobs } = this.options;
    const isThere = (await blobs.sizeOf(sha256, commit)) !== undefined;
    for (const { name } of (await this.entriesOf(commit, isThere)).slice(0, maxNames)) {
      const ref = await refs.get({ space: "ostree", instance, name });
      const entry = ref && commitEntry(ref);
      if (entry?.detached !== undefined && checksumOf(entry) === commit) return readMessage(blobs, entry.detached);
    }
    return undefined;
  }

  /** The refs of a commit as of the last snapshot: what is pulled needs no summary of just now, unless it is there and newer than that. */
  private async entriesOf(commit: string, isThere: boolean): Promise<readonly CommitEntry[]> {
    const known = this.snapshot?.byCommit.get(commit);
    if (known !== undefined) return known;
    return isThere || this.snapshot === undefined ? ((await this.current()).byCommit.get(commit) ?? []) : [];
  }

  counts(): CommitCounts {
    const { snapshot, made } = this;
    const { summary, listed = 0, leftOut = 0, damaged = 0 } = snapshot ?? {};
    return { summaryBytes: summary?.length ?? 0, listed, leftOut, damaged, made };
  }

  /** Ends the look at all commits. */
  close(): Promise<void> {
    return this.verifier.close();
  }

  /** The snapshot of what was there when this was called, or of later. */
  private current(): MaybePromise<CommitSnapshot> {
    if (this.running !== undefined) {
      // What is being made may have begun before what the asker knows of: all who come meanwhile share the next one.
      this.next ??= this.running
        .catch(() => {})
        .then(() => {
          this.next = undefined;
          return this.current();
        });
      return this.next;
    }
    const { instance, refs } = this.options;
    const known = this.stale ? undefined : this.snapshot?.version;
    const listing = refs.listed({ space: "ostree", instance }, known);
    if (listing === undefined && this.snapshot !== undefined) return this.verified(this.snapshot);
    this.running = this.renew(listing).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async renew(listed: MaybePromise<RefListing | undefined>): Promise<CommitSnapshot> {
    const listing = await listed;
    if (listing === undefined) return this.verified(this.snapshot as CommitSnapshot);
    if (listing.version !== this.snapshot?.version) await this.recheck();
    this.stale = false;
    const most = this.options.maxSummaryBytes ?? maxSummaryBytes;
    try {
      this.snapshot = await makeSnapshot(listing, (commit) => this.damaged.has(commit), most);
    } catch (error) {
      this.stale = true;
      throw error;
    }
    this.made++;
    for (const commit of this.damaged) if (!this.snapshot.byCommit.has(commit)) this.damaged.delete(commit);
    this.warn(this.snapshot, most);
    return this.verified(this.snapshot);
  }

  /** Whoever pushes what was damaged finds it in the next summary. */
  private async recheck(): Promise<void> {
    const { blobs, quiet } = this.options;
    for (const commit of [...this.damaged].slice(0, maxRechecked)) {
      const size = await blobs.sizeOf(sha256, commit);
      // Behind the others: those come first the next time.
      this.damaged.delete(commit);
      this.damaged.add(commit);
      if (size === undefined) continue;
      if (await quiet.complete([{ walk: "commit", digest: parseDigest(commit, size, sha256) }]))
        this.damaged.delete(commit);
    }
  }

  private verified(snapshot: CommitSnapshot): CommitSnapshot {
    this.verifier.lookAt(() => digestsOf(snapshot));
    return snapshot;
  }

  /** A commit whose refs have gone meanwhile is not damaged: it is over. */
  private async markDamaged(commit: string, by: string): Promise<void> {
    const { byCommit } = await this.current();
    const entries = byCommit.get(commit);
    if (entries === undefined || this.damaged.has(commit)) return;
    this.damaged.add(commit);
    this.stale = true;
    const names = entries.slice(0, maxNames).map(({ name }) => name);
    const { instance, log } = this.options;
    log.error(
      { instance, commit, refs: names, by },
      "something of a commit is missing: its refs are not listed until it is pushed again",
    );
  }

  private markWhole(commit: string): void {
    if (this.damaged.delete(commit)) this.stale = true;
  }

  private warn({ summary, listed, leftOut, unreadable }: CommitSnapshot, most: number): void {
    const facts = { bytes: summary.length, most, listed };
    if (unreadable.length > 0) {
      const refs = unreadable.slice(0, maxNames);
      this.say("error", { ...facts, refs }, "refs cannot be read, and are not listed");
    }
    if (leftOut > 0) {
      const full = "the summary is as long as clients take it: the refs with the oldest commits are not listed";
      this.say("error", { ...facts, leftOut }, `${full}; let refs of the space ostree expire`);
    } else if (summary.length >= Math.min(warnBytes, most)) {
      this.say("warn", facts, "the summary is nearly as long as clients take it; let refs of the space ostree expire");
    }
  }

  private say(level: "warn" | "error", facts: object, message: string): void {
    const now = this.now();
    if (now - (this.warned.get(message) ?? Number.NEGATIVE_INFINITY) < warnEveryMs) return;
    this.warned.set(message, now);
    const { instance, log } = this.options;
    log[level]({ instance, ...facts }, message);
  }
}

function* digestsOf({ byCommit }: CommitSnapshot): Iterable<Digest> {
  for (const [commit, [entry]] of byCommit) {
    if (entry !== undefined && entry.commitSize > 0) yield parseDigest(commit, entry.commitSize, sha256);
  }
}
