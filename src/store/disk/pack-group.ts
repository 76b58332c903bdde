import type { DigestFunction } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { entryLength, headLength, maxHeadLength, tagEntry, writeHead } from "../batch-entry.ts";
import type { Pack } from "./pack.ts";

/** Told once of each blob, which is named by its place in the group, what came of it. */
export interface Waiter {
  stored(): void;
  refused(error: unknown, i: number): void;
}

/** Where a blob lies that is copied from another pack. */
export interface Origin {
  readonly pack: Pack;
  readonly offset: number;
}

/** Blobs that wait to be written to a pack. */
export class PackGroup {
  readonly digests: DigestList;
  readonly waiters: Waiter[] = [];
  /** Where those that are copies of blobs in another pack lie there, by their place in the group. */
  readonly origins = new Map<number, Origin>();
  /** What has the bytes of each blob, … */
  private readonly sources: Uint8Array[] = [];
  /** … where they begin there, … */
  private readonly starts: number[] = [];
  /** … and whether the whole record stands there but for its tag, as in a BlobBatch. */
  private readonly framed: boolean[] = [];

  constructor(fn: DigestFunction) {
    this.digests = new DigestList(fn);
  }

  get length(): number {
    return this.waiters.length;
  }

  /** Adds a blob whose digest has been added to `digests`. */
  add(source: Uint8Array, start: number, framed: boolean, waiter: Waiter): void {
    this.sources.push(source);
    this.starts.push(start);
    this.framed.push(framed);
    this.waiters.push(waiter);
  }

  /**
   * Lays the records from the blob at `from` on out, beginning at `start`, as many as fit into the buffer and, but for the first, into the `left` bytes of the
   * pack: `to` is the first blob and `end` the first byte after them.
   */
  layOut(from: number, buffer: Uint8Array, start: number, left: number): { to: number; end: number } {
    const { function: fn, sizes } = this.digests;
    let end = start;
    let to = from;
    for (; to < this.length; to++) {
      const size = sizes[to] as number;
      const longest = end + maxHeadLength + size;
      if (longest > buffer.length || (to > from && longest - start > left)) break;
      end += entryLength(fn, size);
    }
    for (let i = from, at = start; i < to; ) {
      const next = this.framed[i] ? this.copyRun(i, to, buffer, at) : this.write(i, buffer, at);
      for (; i < next; i++) at += entryLength(fn, sizes[i] as number);
    }
    return { to, end };
  }

  /** Writes the record of blob `i`, and returns the one after it. */
  private write(i: number, buffer: Uint8Array, at: number): number {
    const { function: fn, sizes, words } = this.digests;
    const size = sizes[i] as number;
    const start = this.starts[i] as number;
    const head = writeHead(buffer, at, fn, words, i * fn.words, size);
    buffer.set((this.sources[i] as Uint8Array).subarray(start, start + size), head);
    return i + 1;
  }

  /** Copies the records of as many blobs as stand one behind the other, and returns the one after them, at most `to`. */
  private copyRun(from: number, to: number, buffer: Uint8Array, at: number): number {
    const { starts, sources, framed } = this;
    const { function: fn, sizes } = this.digests;
    const source = sources[from] as Uint8Array;
    const start = (starts[from] as number) - headLength(fn, sizes[from] as number);
    let end = start;
    let next = from;
    let tag = at;
    do {
      end += entryLength(fn, sizes[next++] as number);
    } while (
      next < to &&
      framed[next] &&
      sources[next] === source &&
      starts[next] === end + headLength(fn, sizes[next] as number)
    );
    buffer.set(source.subarray(start, end), at);
    for (let i = from; i < next; i++) {
      buffer[tag] = tagEntry;
      tag += entryLength(fn, sizes[i] as number);
    }
    return next;
  }
}
