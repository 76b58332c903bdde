import { StillageError } from "../base/errors.ts";
import type { ObjectSource } from "../ostree/archive/object-source.ts";
import type { ReceiveLimits } from "../release/receive-limits.ts";

/** Bytes after which the disk is asked again how much is free. */
const betweenLooks = 64 * 1024 * 1024;

/** What the smallest object takes on a disk. */
const blockBytes = 4096;

/** How long nothing may come: a connection whose other end is gone without a word looks like that. */
const stallMs = 120_000;

export interface Bounds {
  readonly limits: ReceiveLimits;
  /** Bytes that the disk has. */
  readonly freeBytes: () => Promise<number>;
  /** Ends everything before its time. */
  readonly signal: AbortSignal;
}

/**
 * A pusher's repository, of which no more is taken than the limits allow, and no signatures. `signal` is aborted with the reason when all takes too long, when nothing
 * comes for too long, and when whoever asks has enough. Disposing ends the watch, not what is under way.
 */
export class BoundedSource implements ObjectSource, Disposable {
  /** Objects that came, and their bytes. */
  objects = 0;
  bytes = 0;
  readonly signal: AbortSignal;
  private readonly inner: ObjectSource;
  private readonly limits: ReceiveLimits;
  private readonly freeBytes: () => Promise<number>;
  private readonly total: NodeJS.Timeout;
  private readonly stalled: NodeJS.Timeout;
  private untilLook = 0;

  /** `open` makes the source, which is to end with the signal that it is given. */
  constructor(open: (signal: AbortSignal) => ObjectSource, { limits, freeBytes, signal }: Bounds) {
    const stop = new AbortController();
    const end = (message: string): void => stop.abort(new StillageError("deadline", message));
    this.signal = AbortSignal.any([signal, stop.signal]);
    this.inner = open(this.signal);
    this.limits = limits;
    this.freeBytes = freeBytes;
    this.total = setTimeout(end, limits.timeMs, `the push took longer than ${limits.timeMs / 1000} s`);
    this.stalled = setTimeout(end, stallMs, `nothing came from the pusher for ${stallMs / 1000} s`);
  }

  async get(path: string, maxBytes: number): Promise<AsyncIterable<Uint8Array> | undefined> {
    this.signal.throwIfAborted();
    this.stalled.refresh();
    // A commit that is here may be another branch's as well: its signatures are not for pushers to replace.
    if (path.endsWith(".commitmeta")) return undefined;
    const isObject = path.startsWith("objects/");
    const content = await this.inner.get(path, isObject ? Math.min(maxBytes, this.limits.objectSize) : maxBytes);
    if (content === undefined) return undefined;
    if (isObject) this.count();
    return this.watched(content);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.total);
    clearTimeout(this.stalled);
  }

  private count(): void {
    this.objects += 1;
    this.untilLook -= blockBytes;
    this.checkPending(0);
  }

  /** Errors: `exhausted` where those that are known to be missing are too many already. */
  checkPending(pending: number): void {
    if (this.objects + pending <= this.limits.objects) return;
    throw new StillageError("exhausted", `the push has more than ${this.limits.objects} objects that are new here`, {
      hint,
    });
  }

  private async *watched(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      this.signal.throwIfAborted();
      this.stalled.refresh();
      this.bytes += piece.length;
      if (this.bytes > this.limits.size) {
        throw new StillageError("exhausted", `the push has more than ${this.limits.size} bytes that are new here`, {
          hint,
        });
      }
      this.untilLook -= piece.length;
      if (this.untilLook <= 0) await this.look();
      yield piece;
    }
  }

  private async look(): Promise<void> {
    this.untilLook = betweenLooks;
    if ((await this.freeBytes()) >= this.limits.freeSpace + betweenLooks) return;
    throw new StillageError("exhausted", "there is no room on the disk for what is pushed");
  }
}

const hint = "the limits stand under `receive` in the repository's repository.yaml";
