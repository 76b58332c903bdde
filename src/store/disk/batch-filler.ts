import { readSync } from "node:fs";
import type { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { entryLength, headMatches, writeHead } from "../batch-entry.ts";
import type { BatchRead } from "../blob-store.ts";
import { readFully } from "./file-io.ts";
import type { ReadBuffers } from "./read-buffers.ts";
import type { ReadPace } from "./read-pace.ts";

/** Reads that one batch has under way in the thread pool at a time: half of its threads. */
const readsAtATime = 2;

/** Bytes to be read into the buffer from `at` to `end`: of a pack from `offset` on, or all of the file of digest `i`. `P` stands for a pack. */
export interface Run<P> {
  readonly pack: P | undefined;
  readonly i: number;
  readonly offset: number;
  readonly at: number;
  end: number;
}

/** What is to be read of a batch, where to. */
export interface BatchPlan<P> {
  readonly runs: readonly Run<P>[];
  readonly bytes: number;
  /** Positions of the digests that are not there. */
  readonly missing: readonly number[];
}

/** What the runs of a batch are read from. */
export interface RunFiles<P> {
  /** The descriptor of a pack, good until `release`; less than 0 where it is to be had by `open`. */
  acquire(pack: P): number;
  release(pack: P): void;
  /** Keeps a pack in its place for one who is going to `acquire` it, until `letGo`. */
  hold(pack: P): void;
  letGo(pack: P): void;
  /** The descriptor of a file, or of a pack that is not at hand, good until `close`; `undefined` where it is gone. */
  open(run: Run<P>, digests: DigestList): Promise<number | undefined>;
  close(fd: number): Promise<void>;
  /** Digest `i` turned out not to lie where it should: in that run's pack or file, and at that offset. */
  discard(digests: DigestList, i: number, run: Run<P>, offset: number): void;
}

/** A batch that is being read. */
interface Batch<P> extends BatchPlan<P> {
  readonly digests: DigestList;
  readonly files: RunFiles<P>;
  readonly buffer: Buffer<ArrayBuffer>;
  /** Parts of the buffer that could not be read. */
  readonly unread: { from: number; to: number }[];
}

/** Reads what a plan says and checks it. */
export class BatchFiller {
  private readonly pace: ReadPace;
  private readonly buffers: ReadBuffers;

  constructor(pace: ReadPace, buffers: ReadBuffers) {
    this.pace = pace;
    this.buffers = buffers;
  }

  /** `digests` must stay as they are until this settles. */
  fill<P>(digests: DigestList, plan: BatchPlan<P>, files: RunFiles<P>): MaybePromise<BatchRead> {
    const { runs, bytes } = plan;
    const batch: Batch<P> = { ...plan, digests, files, buffer: this.buffers.take(bytes), unread: [] };
    let next = 0;
    try {
      while (next < runs.length && this.pace.atOnce && this.readAtOnce(runs[next] as Run<P>, batch)) next++;
    } catch (error) {
      this.buffers.give(batch.buffer);
      throw fromFileSystem(error, "cannot read blobs");
    }
    return next === runs.length ? this.finish(batch) : this.readRest(batch, next);
  }

  /** `false` where what it is to be read from is not at hand. */
  private readAtOnce<P>({ pack, offset, at, end }: Run<P>, batch: Batch<P>): boolean {
    const { files } = batch;
    const fd = pack === undefined ? -1 : files.acquire(pack);
    if (fd < 0) return false;
    try {
      const count = this.pace.measure(() => readSync(fd, batch.buffer, at, end - at, offset));
      if (count < end - at) batch.unread.push({ from: at + count, to: end });
    } finally {
      files.release(pack as P);
    }
    return true;
  }

  private async readRest<P>(batch: Batch<P>, first: number): Promise<BatchRead> {
    let next = first;
    const work = async (): Promise<void> => {
      while (next < batch.runs.length) await this.readRun(batch.runs[next++] as Run<P>, batch);
    };
    const held = batch.runs.slice(first).flatMap(({ pack }) => pack ?? []);
    for (const pack of held) batch.files.hold(pack);
    const done = await Promise.allSettled(Array.from({ length: readsAtATime }, work));
    for (const pack of held) batch.files.letGo(pack);
    for (const each of done) {
      if (each.status === "fulfilled") continue;
      this.buffers.give(batch.buffer);
      throw fromFileSystem(each.reason, "cannot read blobs");
    }
    return this.finish(batch);
  }

  private async readRun<P>(run: Run<P>, batch: Batch<P>): Promise<void> {
    const { pack, i, offset, at, end } = run;
    const { digests, buffer, unread, files } = batch;
    const atHand = pack === undefined ? -1 : files.acquire(pack);
    if (pack !== undefined && atHand >= 0) {
      const count = await readFully(atHand, buffer.subarray(at, end), offset).finally(() => files.release(pack));
      if (count < end - at) unread.push({ from: at + count, to: end });
      return;
    }
    const { function: fn, words, sizes } = digests;
    const from = pack === undefined ? writeHead(buffer, at, fn, words, i * fn.words, sizes[i] as number) : at;
    const fd = await files.open(run, digests);
    if (fd === undefined) {
      unread.push({ from, to: end });
      return;
    }
    try {
      const count = await readFully(fd, buffer.subarray(from, end), pack === undefined ? 0 : offset);
      if (count < end - from) unread.push({ from: from + count, to: end });
    } finally {
      await files.close(fd);
    }
  }

  /** Checks what was read, blob by blob, and leaves out what is not what was asked for. */
  private finish<P>(batch: Batch<P>): BatchRead {
    const { digests, missing, buffer, unread } = batch;
    const { function: fn, words, sizes } = digests;
    const parts: Uint8Array[] = [];
    const broken: number[] = [];
    let bytes = 0;
    let at = 0;
    let good = 0; // what lies from here to `at` is good
    for (let i = 0, m = 0; i < digests.length; i++) {
      if (missing[m] === i) {
        m++;
        continue;
      }
      const size = sizes[i] as number;
      const end = at + entryLength(fn, size);
      if (size === 0) writeHead(buffer, at, fn, words, i * fn.words, size);
      const whole = unread.length === 0 || !unread.some(({ from, to }) => from < end && to > at);
      if (!whole || !headMatches(buffer, at, fn, words, i * fn.words, size)) {
        discardAt(batch, i, at);
        broken.push(i);
        if (at > good) parts.push(buffer.subarray(good, at));
        good = end;
      } else bytes += end - at;
      at = end;
    }
    if (at > good) parts.push(buffer.subarray(good, at));
    let released = false;
    return {
      parts,
      bytes,
      missing: broken.length === 0 ? missing : [...missing, ...broken].sort((a, b) => a - b),
      release: () => {
        if (!released) this.buffers.give(buffer);
        released = true;
      },
    };
  }
}

function discardAt<P>({ runs, digests, files }: Batch<P>, i: number, at: number): void {
  const run = runs.find((each) => each.at <= at && at < each.end);
  if (run !== undefined) files.discard(digests, i, run, run.offset + at - run.at);
}
