import { readSync } from "node:fs";
import type { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { entryLength, headMatches, writeHead } from "../batch-entry.ts";
import type { BatchRead } from "../blob-store.ts";
import type { BlobFiles } from "./blob-files.ts";
import { type DigestIndex, inFile } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import { closeFile, readFully } from "./file-io.ts";
import type { Pack } from "./pack.ts";
import type { Packs } from "./packs.ts";

/** Reads that one batch has under way in the thread pool at a time: half of its threads. */
const readsAtATime = 2;

/** Bytes to be read into the buffer from `at` to `end`: of a pack from `offset` on, or all of the file of digest `i`. */
interface Run {
  readonly pack: Pack | undefined;
  readonly i: number;
  readonly offset: number;
  readonly at: number;
  end: number;
}

/** Told of digest `i`, which turned out not to lie where it should: in that pack, or in a file, and at that offset. */
export type Discard = (digests: DigestList, i: number, pack: Pack | undefined, offset: number) => void;

/** A batch that is being read. */
interface Batch {
  readonly digests: DigestList;
  readonly missing: number[];
  readonly runs: readonly Run[];
  readonly bytes: number;
  readonly buffer: Buffer<ArrayBuffer>;
  /** Parts of the buffer that could not be read. */
  readonly unread: { from: number; to: number }[];
}

/** Reads many small blobs: neighbours in a pack, asked for one after the other, with one read. */
export class BatchReader {
  private readonly index: DigestIndex;
  private readonly packs: Packs;
  private readonly files: BlobFiles;
  private readonly context: DiskContext;
  private readonly discard: Discard;

  constructor(
    parts: { readonly index: DigestIndex; readonly packs: Packs; readonly files: BlobFiles },
    context: DiskContext,
    discard: Discard,
  ) {
    this.index = parts.index;
    this.packs = parts.packs;
    this.files = parts.files;
    this.context = context;
    this.discard = discard;
  }

  /** `digests` must stay as they are until this settles. `quiet`: not a use of the blobs. */
  read(digests: DigestList, quiet: boolean): MaybePromise<BatchRead> {
    const { context } = this;
    const missing: number[] = [];
    const { runs, bytes } = this.plan(digests, missing, quiet);
    const batch: Batch = { digests, missing, runs, bytes, buffer: context.readBuffers.take(bytes), unread: [] };
    let next = 0;
    try {
      while (next < runs.length && runs[next]?.pack !== undefined && context.pace.atOnce) {
        this.readAtOnce(runs[next++] as Run, batch);
      }
    } catch (error) {
      context.readBuffers.give(batch.buffer);
      throw fromFileSystem(error, "cannot read blobs");
    }
    return next === runs.length ? this.finish(batch) : this.readRest(batch, next);
  }

  /** Looks every digest up and says what is to be read, where to. */
  private plan(digests: DigestList, missing: number[], quiet: boolean): { runs: Run[]; bytes: number } {
    const { index } = this;
    const { function: fn, words, sizes } = digests;
    const used = this.context.now();
    const runs: Run[] = [];
    let run: Run | undefined;
    let bytes = 0;
    for (let i = 0; i < digests.length; i++) {
      const size = sizes[i] as number;
      const entry = size === 0 ? -1 : index.findSized(words, i * fn.words, size);
      if (entry < 0 && size > 0) {
        missing.push(i);
        continue;
      }
      const at = bytes;
      bytes += entryLength(fn, size);
      if (entry < 0) continue; // the empty blob is all head, which is written when there is a buffer
      if (!quiet) index.touch(entry, used);
      const place = index.place(entry);
      const offset = index.offset(entry);
      const pack = place === inFile ? undefined : this.packs.at(place);
      if (pack !== undefined && run?.pack === pack && run.end === at && run.offset + at - run.at === offset) {
        run.end = bytes;
      } else {
        run = { pack, i, offset, at, end: bytes };
        runs.push(run);
      }
    }
    return { runs, bytes };
  }

  private readAtOnce({ pack, offset, at, end }: Run, batch: Batch): void {
    const { openPacks, pace } = this.context;
    const fd = openPacks.acquire(pack as Pack);
    try {
      const count = pace.measure(() => readSync(fd, batch.buffer, at, end - at, offset));
      if (count < end - at) batch.unread.push({ from: at + count, to: end });
    } finally {
      openPacks.release(pack as Pack);
    }
  }

  private async readRest(batch: Batch, first: number): Promise<BatchRead> {
    const { openPacks } = this.context;
    let next = first;
    const work = async (): Promise<void> => {
      while (next < batch.runs.length) await this.readRun(batch.runs[next++] as Run, batch);
    };
    const held = batch.runs.slice(first).flatMap(({ pack }) => pack ?? []);
    for (const pack of held) openPacks.hold(pack);
    const done = await Promise.allSettled(Array.from({ length: readsAtATime }, work));
    for (const pack of held) openPacks.letGo(pack);
    for (const each of done) {
      if (each.status === "fulfilled") continue;
      this.context.readBuffers.give(batch.buffer);
      throw fromFileSystem(each.reason, "cannot read blobs");
    }
    return this.finish(batch);
  }

  private async readRun({ pack, i, offset, at, end }: Run, batch: Batch): Promise<void> {
    const { digests, buffer, unread } = batch;
    const { openPacks } = this.context;
    if (pack !== undefined) {
      const fd = openPacks.acquire(pack);
      const count = await readFully(fd, buffer.subarray(at, end), offset).finally(() => openPacks.release(pack));
      if (count < end - at) unread.push({ from: at + count, to: end });
      return;
    }
    const from = writeHead(
      buffer,
      at,
      digests.function,
      digests.words,
      i * digests.function.words,
      digests.sizes[i] as number,
    );
    const fd = await this.files.open({ digest: digests.at(i), serial: offset });
    if (fd === undefined) {
      unread.push({ from, to: end });
      return;
    }
    try {
      const count = await readFully(fd, buffer.subarray(from, end), 0);
      if (count < end - from) unread.push({ from, to: end });
    } finally {
      await closeFile(fd);
    }
  }

  /** Checks what was read, blob by blob, and leaves out what is not what was asked for. */
  private finish(batch: Batch): BatchRead {
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
        this.discardAt(batch, i, at);
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
        if (!released) this.context.readBuffers.give(buffer);
        released = true;
      },
    };
  }

  private discardAt({ runs, digests }: Batch, i: number, at: number): void {
    const run = runs.find((each) => each.at <= at && at < each.end);
    if (run !== undefined) this.discard(digests, i, run.pack, run.offset + at - run.at);
  }
}
