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
  /** For each run the descriptor of its pack (-1: it is a file, to be asked for; -2: a pack, to be asked for), `i`, `offset`, `at` and `end`. */
  readonly runs: Float64Array;
}

const runFields = 5;
const ofFile = -1;
const ofPackToAskFor = -2;

/** Packs of a batch that are open for all of the time that another thread reads it: batches of old blobs may be of hundreds. */
export const maxLentPacks = 64;

/** Keeps packs of a batch open while another thread reads, the others in their places; and opens those and files when they are asked for. */
export class BatchLease {
  private readonly plan: BatchPlan<Pack>;
  private readonly files: RunFiles<Pack>;
  private readonly digests: DigestList;
  private readonly packs = new Map<Pack, number>();
  /** Packs that are opened when they are asked for. */
  private readonly others = new Set<Pack>();
  /** Descriptors that were asked for, each as often as it was, and the packs that they are of. */
  private readonly lent: { readonly fd: number; readonly pack: Pack | undefined }[] = [];
  private ended = false;

  /** Errors: those of opening a file; nothing stays open then. */
  constructor({ plan, files }: BatchLoan, digests: DigestList) {
    this.plan = plan;
    this.files = files;
    this.digests = digests;
    try {
      for (const { pack } of plan.runs) {
        if (pack !== undefined && !this.packs.has(pack) && !this.others.has(pack)) this.keep(pack);
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
      const fd = pack === undefined ? ofFile : (this.packs.get(pack) ?? ofPackToAskFor);
      plain.set([fd, i, offset, at, end], n * runFields);
    }
    return { lease, bytes, missing, runs: plain };
  }

  /** A descriptor of the file or the pack of a run, good until `close`; `undefined` where it is gone. */
  async open(number: number): Promise<number | undefined> {
    const run = this.run(number);
    const { pack } = run;
    if (pack !== undefined) return this.lendFile(this.files.acquire(pack), pack);
    const fd = await this.files.open(run, this.digests);
    if (fd === undefined) return undefined;
    if (this.ended) {
      await this.files.close(fd);
      throw new StillageError("unavailable", "the thread has ended");
    }
    return this.lendFile(fd, undefined);
  }

  async close(fd: number): Promise<void> {
    const at = this.lent.findIndex((each) => each.fd === fd);
    const [found] = at < 0 ? [] : this.lent.splice(at, 1);
    if (found?.pack !== undefined) this.files.release(found.pack);
    else if (found !== undefined) await this.files.close(fd);
  }

  discard(i: number, run: number, offset: number): void {
    this.files.discard(this.digests, i, this.run(run), offset);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const pack of this.packs.keys()) this.files.release(pack);
    for (const { fd } of [...this.lent]) this.close(fd).catch(() => {});
    for (const pack of this.others) this.files.letGo(pack);
  }

  private keep(pack: Pack): void {
    if (this.packs.size < maxLentPacks) {
      this.packs.set(pack, this.files.acquire(pack));
      return;
    }
    this.files.hold(pack);
    this.others.add(pack);
  }

  private lendFile(fd: number, pack: Pack | undefined): number {
    this.lent.push({ fd, pack });
    return fd;
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
    const [fd = ofFile, i = 0, offset = 0, from = 0, end = 0] = plain.subarray(at, at + runFields);
    runs.push({ pack: fd === ofFile ? undefined : fd, i, offset, at: from, end });
  }
  return { runs, bytes, missing };
}

/** What the other thread asks of a lease. */
export interface LeaseAsks {
  open(run: number): Promise<number | undefined>;
  close(fd: number): Promise<void>;
  discard(i: number, run: number, offset: number): void;
}

/** What the runs of such a plan are read from: the packs that are lent are open as long as the lease, and nobody deletes the others. */
export function filesOfPlan({ runs }: BatchPlan<number>, { open, close, discard }: LeaseAsks): RunFiles<number> {
  let numbers: Map<Run<number>, number> | undefined;
  const numberOf = (run: Run<number>): number => {
    numbers ??= new Map(runs.map((each, n) => [each, n]));
    return numbers.get(run) ?? -1;
  };
  return {
    acquire: (fd) => fd,
    release: () => {},
    hold: () => {},
    letGo: () => {},
    open: (run) => open(numberOf(run)),
    close,
    discard: (_, i, run, offset) => discard(i, numberOf(run), offset),
  };
}
