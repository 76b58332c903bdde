import { BoundedJobs } from "../../base/bounded-jobs.ts";
import { type Digest, isEmptyBlob, sameDigest } from "../../base/digest.ts";
import { DigestList } from "../../base/digest-list.ts";
import { DigestSet } from "../../cache/digest-set.ts";
import { maxSmallBytes, type TakeBatch, type WholeBlob } from "../blob-place.ts";
import type { BlobPlace } from "../place.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { SourceRow } from "./source-row.ts";
import * as limits from "./transfer-limits.ts";
import type { TransferProgress } from "./transfer-progress.ts";
import { WaitingBlobs } from "./waiting-blobs.ts";

/** What copies of blobs share. */
export interface CopyContext {
  readonly to: BlobPlace;
  readonly sources: SourceRow;
  readonly budget: ByteBudget;
  readonly progress: TransferProgress | undefined;
  readonly signal: AbortSignal;
}

/** What was moved. */
export interface Moved {
  blobs: number;
  bytes: number;
}

/** Blobs that no source gave: how many, and the first of them. */
export interface Lacking {
  readonly count: number;
  readonly first: Digest;
}

/**
 * Brings blobs to a place that has some of them. They come one by one, and while they do, the place is asked what it lacks, and that is read and written: several
 * questions, groups of small blobs and streams of large ones at a time. Questions run ahead of what is moved, so that it is known early how much that will be. A
 * crash leaves whole blobs there, or what the place itself takes away.
 */
export class BlobCopier {
  readonly moved: Moved = { blobs: 0, bytes: 0 };
  private readonly context: CopyContext;
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;
  private readonly questions = new BoundedJobs(Number.POSITIVE_INFINITY, limits.questionsInFlight);
  private readonly groups = new BoundedJobs(Number.POSITIVE_INFINITY, limits.groupsInFlight);
  private readonly streams = new BoundedJobs(Number.POSITIVE_INFINITY, limits.streamsInFlight);
  private readonly small: WaitingBlobs;
  private readonly large: WaitingBlobs;
  private asked: DigestSet | undefined;
  private pending: Digest[] = [];
  /** How many of them make a question. */
  private enough = limits.firstQuestionBlobs;
  /** Those of `pending` that are at hand. */
  private offered = new Map<string, WholeBlob>();
  private offeredBytes = 0;
  /** What was found to be missing, and has not moved. */
  private readonly left = { blobs: 0, bytes: 0 };
  private lackingCount = 0;
  private lackingFirst: Digest | undefined;

  constructor(context: CopyContext) {
    this.context = context;
    this.signal = AbortSignal.any([context.signal, this.stop.signal]);
    this.small = new WaitingBlobs((waiting) => this.beginGroup(waiting));
    this.large = new WaitingBlobs((waiting) => this.beginStream(waiting));
  }

  /** Takes more; waits where much is under way. Errors: those of what came before. */
  async add(digests: DigestList): Promise<void> {
    for (let i = 0; i < digests.length; i++) {
      if (!this.isNew(digests, i)) continue;
      const digest = digests.at(i);
      if (isEmptyBlob(digest)) continue;
      this.pending.push(digest);
      if (this.pending.length >= this.enough) await this.ask();
    }
  }

  /** As `add`, of what is at hand: it is not read again where it is missing, and asked for together with what is added. */
  async offer(blobs: readonly WholeBlob[]): Promise<void> {
    for (const blob of blobs) {
      const { digest } = blob;
      if (isEmptyBlob(digest) || !this.isNew(DigestList.of(digest), 0)) continue;
      this.pending.push(digest);
      this.offered.set(digest.hash, blob);
      this.offeredBytes += digest.size;
      const isFull = this.pending.length >= this.enough || this.offeredBytes >= limits.offeredBytes;
      if (isFull) await this.ask();
    }
  }

  /** As `add`. */
  async addOne(digest: Digest): Promise<void> {
    await this.add(DigestList.of(digest));
  }

  /** Writes what is at hand and known to be missing. Waits as `add` does. Errors: as of `add`. */
  async put(blobs: readonly WholeBlob[]): Promise<void> {
    const { to } = this.context;
    const bytes = blobs.reduce((sum, { digest }) => sum + digest.size, 0);
    this.found(blobs.length, bytes);
    await this.groups.add(bytes, () =>
      this.stopping(async () => {
        const small = blobs.filter(({ digest }) => digest.size <= maxSmallBytes);
        if (small.length > 0) await to.writeMany(small, this.signal);
        for (const { digest, bytes: whole } of blobs) {
          if (digest.size > maxSmallBytes) await to.write(digest, (offset) => piecesOf(whole, offset), this.signal);
        }
        this.moves(blobs.length, bytes);
      }),
    );
  }

  /** Resolves when of all that was added it is known whether it is there. Errors: as of `add`. */
  async answered(): Promise<void> {
    if (this.pending.length > 0) await this.ask();
    await this.questions.settled();
  }

  /** Resolves when all that was added is there, but for what nobody has. Errors: those of the place, `cancelled`. */
  async settled(): Promise<Lacking | undefined> {
    let failure: { readonly error: unknown } | undefined;
    const noted = (error: unknown): void => {
      failure ??= { error };
    };
    await this.answered().catch(noted);
    for (const each of [this.questions, this.small, this.large, this.groups, this.streams]) {
      await each.settled().catch(noted);
    }
    // What did not come is found anew where it is tried again.
    this.found(-this.left.blobs, -this.left.bytes);
    if (failure !== undefined) throw failure.error;
    const { lackingFirst: first, lackingCount: count } = this;
    this.lackingFirst = undefined;
    this.lackingCount = 0;
    return first === undefined ? undefined : { count, first };
  }

  /** Ends what is under way, and waits for that. Never fails. */
  async abandon(): Promise<void> {
    this.pending = [];
    this.offered.clear();
    this.stop.abort();
    await this.settled().catch(() => {});
  }

  lacks(digest: Digest): void {
    this.lackingCount += 1;
    this.lackingFirst ??= digest;
  }

  /** False for what was asked before, as far as that is remembered. */
  private isNew(digests: DigestList, i: number): boolean {
    const { asked } = this;
    this.asked =
      asked === undefined || asked.items.length > limits.rememberedFiles ? new DigestSet(digests.function) : asked;
    return this.asked.add(digests, i);
  }

  private async ask(): Promise<void> {
    const { pending, offered } = this;
    this.pending = [];
    this.offered = new Map();
    this.offeredBytes = 0;
    this.enough = Math.min(this.enough * 2, limits.questionBlobs);
    await this.questions.add(0, () => this.stopping(() => this.copyMissing(pending, offered)));
  }

  private async copyMissing(digests: readonly Digest[], offered: ReadonlyMap<string, WholeBlob>): Promise<void> {
    const { to } = this.context;
    const missing: Digest[] = [];
    const atHand: WholeBlob[] = [];
    for (const digest of await to.missing(digests, this.signal)) {
      const blob = offered.get(digest.hash);
      if (blob !== undefined && sameDigest(blob.digest, digest)) atHand.push(blob);
      else missing.push(digest);
    }
    this.found(
      missing.length,
      missing.reduce((sum, { size }) => sum + size, 0),
    );
    if (atHand.length > 0) await this.put(atHand);
    for (const digest of missing) (digest.size > maxSmallBytes ? this.large : this.small).push(digest);
    for (const waiting of [this.small, this.large]) await waiting.drained(limits.waitingBlobs);
  }

  private async beginGroup(waiting: WaitingBlobs): Promise<void> {
    const group: Digest[] = [];
    let bytes = 0;
    for (let next = waiting.peek(); next !== undefined; next = waiting.peek()) {
      if (group.length === limits.groupBlobs || bytes + next.size > limits.groupBytes) break;
      group.push(next);
      bytes += next.size;
      waiting.shift();
    }
    await this.groups.add(0, () => this.stopping(() => this.copyGroup(group, bytes)));
  }

  private async beginStream(waiting: WaitingBlobs): Promise<void> {
    const digest = waiting.peek();
    if (digest === undefined) return;
    waiting.shift();
    await this.streams.add(0, () => this.stopping(() => this.copyLarge(digest)));
  }

  private async copyGroup(digests: readonly Digest[], bytes: number): Promise<void> {
    const { to, sources, budget } = this.context;
    const move: TakeBatch = async ({ blobs, memory }) => {
      await to.writeMany(blobs, this.signal, memory);
      this.moves(
        blobs.length,
        blobs.reduce((sum, { digest }) => sum + digest.size, 0),
      );
    };
    await budget.hold(bytes, async () => {
      this.signal.throwIfAborted();
      for (const digest of await sources.readMany(digests, move, this.signal)) this.lacks(digest);
    });
  }

  private async copyLarge(digest: Digest): Promise<void> {
    const { to, sources, budget } = this.context;
    await budget.hold(limits.streamBytes, async () => {
      const stream = sources.stream(digest, to.borrows ? "borrowed" : "kept", this.signal);
      // Seen at its furthest: a part that goes over the wire again is no progress. Undefined until any of it is asked for.
      let furthest: number | undefined;
      const reach = (at: number): void => {
        if (furthest === undefined) this.found(0, -at);
        else if (at > furthest) this.moves(0, at - furthest);
        furthest = Math.max(at, furthest ?? 0);
      };
      const content = async function* (offset: number): AsyncGenerator<Uint8Array> {
        let at = offset;
        reach(at);
        for await (const bytes of stream.content(offset)) {
          yield bytes;
          at += bytes.length;
          reach(at);
        }
      };
      while (stream.usable) {
        this.signal.throwIfAborted();
        stream.failure = undefined;
        try {
          await to.write(digest, content, this.signal);
          // Otherwise somebody else has brought it meanwhile.
          if (furthest !== undefined) this.moves(1, digest.size - furthest);
          return;
        } catch (error) {
          this.signal.throwIfAborted();
          // What the sources failed with, the row has noted.
          if (stream.failure === undefined) throw error;
        }
      }
      this.lacks(digest);
    });
  }

  /** What has to be moved; or has not, where the counts are negative. */
  private found(blobs: number, bytes: number): void {
    this.left.blobs += blobs;
    this.left.bytes += bytes;
    this.context.progress?.found(blobs, bytes);
  }

  private moves(blobs: number, bytes: number): void {
    this.left.blobs -= blobs;
    this.left.bytes -= bytes;
    this.moved.blobs += blobs;
    this.moved.bytes += bytes;
    this.context.progress?.moved(blobs, bytes);
  }

  /** A failure of one part ends the others: what is to be done is not done without it. */
  private async stopping(work: () => Promise<void>): Promise<void> {
    try {
      this.signal.throwIfAborted();
      await work();
    } catch (error) {
      this.stop.abort(error);
      throw error;
    }
  }
}

/** Small blobs, whole. `rest` are those that no source gave. */
export async function readWhole(
  sources: SourceRow,
  digests: readonly Digest[],
  signal: AbortSignal,
): Promise<{ readonly blobs: WholeBlob[]; readonly rest: readonly Digest[] }> {
  const blobs: WholeBlob[] = [];
  const rest = await sources.readMany(digests, (batch) => void blobs.push(...batch.blobs), signal);
  return { blobs, rest };
}

const pieceBytes = 1 << 20;

async function* piecesOf(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
