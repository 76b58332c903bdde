import type { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import type { BatchPlan, Run, RunFiles } from "../disk/batch-filler.ts";
import type { BatchLoan } from "../disk/batch-reader.ts";
import type { Pack } from "../disk/pack.ts";

/** A batch for another thread to read. */
export interface PlainBatch {
  /** 0 where there is nothing to read. */
  readonly lease: number;
  readonly bytes: number;
  readonly missing: readonly number[];
  /** For each run the descriptor of its pack (-1: it is a file, to be asked for), `i`, `offset`, `at` and `end`. */
  readonly runs: Float64Array;
}

const runFields = 5;

/** Keeps the packs of a batch open while another thread reads, and opens files for it. */
export class BatchLease {
  private readonly plan: BatchPlan<Pack>;
  private readonly files: RunFiles<Pack>;
  private readonly digests: DigestList;
  private readonly packs = new Map<Pack, number>();
  private readonly lent = new Set<number>();
  private ended = false;

  /** Errors: those of opening a file; nothing stays open then. */
  constructor({ plan, files }: BatchLoan, digests: DigestList) {
    this.plan = plan;
    this.files = files;
    this.digests = digests;
    try {
      for (const { pack } of plan.runs) {
        if (pack !== undefined && !this.packs.has(pack)) this.packs.set(pack, files.acquire(pack));
      }
    } catch (error) {
      this.end();
      throw error;
    }
  }

  get empty(): boolean {
    return this.plan.runs.length === 0;
  }

  lend(lease: number): PlainBatch {
    const { runs, bytes, missing } = this.plan;
    const plain = new Float64Array(runs.length * runFields);
    for (const [n, { pack, i, offset, at, end }] of runs.entries()) {
      plain.set([pack === undefined ? -1 : (this.packs.get(pack) as number), i, offset, at, end], n * runFields);
    }
    return { lease, bytes, missing, runs: plain };
  }

  /** A descriptor of the file of a run, good until `close`; `undefined` where it is gone. */
  async open(run: number): Promise<number | undefined> {
    const fd = await this.files.open(this.run(run), this.digests);
    if (fd === undefined) return undefined;
    if (this.ended) {
      await this.files.close(fd);
      throw new StillageError("unavailable", "the thread has ended");
    }
    this.lent.add(fd);
    return fd;
  }

  async close(fd: number): Promise<void> {
    if (this.lent.delete(fd)) await this.files.close(fd);
  }

  discard(i: number, run: number, offset: number): void {
    this.files.discard(this.digests, i, this.run(run), offset);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const pack of this.packs.keys()) this.files.release(pack);
    for (const fd of this.lent) this.files.close(fd).catch(() => {});
    this.lent.clear();
  }

  private run(run: number): Run<Pack> {
    const found = this.plan.runs[run];
    if (found === undefined) throw new StillageError("internal", `there is no run ${run}`);
    return found;
  }
}

/** What `lend` gave, in the other thread: a pack is its descriptor there. */
export function planOfPlain({ bytes, missing, runs: plain }: PlainBatch): BatchPlan<number> {
  const runs: Run<number>[] = [];
  for (let at = 0; at < plain.length; at += runFields) {
    const [fd = -1, i = 0, offset = 0, from = 0, end = 0] = plain.subarray(at, at + runFields);
    runs.push({ pack: fd < 0 ? undefined : fd, i, offset, at: from, end });
  }
  return { runs, bytes, missing };
}
