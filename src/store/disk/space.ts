import { StillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { largestUpload } from "../largest-upload.ts";
import { DiskRoom, type NoRoom } from "./disk-room.ts";

/** What a file takes on a disk is counted in blocks of this. */
const blockBytes = 4096;

/** The bytes that a file of this length takes on a disk. */
export function onDisk(length: number): number {
  return Math.ceil(length / blockBytes) * blockBytes;
}

/** A full store refuses many uploads a second; the log has one of them in this time. */
const logEveryMs = 60_000;

/** What does not fit waits so long where somebody is making room: much is freed in it, and clients wait longer than that for an answer. */
const patienceMs = 10_000;

/** What does not fit now. */
interface Waiting {
  readonly bytes: number;
  /** How far `passed` may go before nothing passes it any more. */
  readonly limit: number;
  readonly take: () => NoRoom | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** Accounts for the bytes of a store, and says no before there is no room: at the quota, and while the disk has some left. */
export class Space {
  /** Bytes on disk, those that are promised to what is being written, and those of `setOthers`. */
  used = 0;
  readonly quota: number | undefined;
  private readonly directory: string;
  private readonly disk: DiskRoom;
  private readonly log: Log;
  private logged = Number.NEGATIVE_INFINITY;
  private otherBytes = 0;
  private highMark = Number.POSITIVE_INFINITY;
  private onPressure: (wanted: number) => void = () => {};
  /** What is used has passed the mark and not come back since. */
  private above = false;
  /** How many are making room. */
  private makers = 0;
  private readonly waiting = new Set<Waiting>();
  /** Bytes of what did not have to wait for others that do. */
  private passed = 0;
  private serving = false;

  constructor(directory: string, quota: number | undefined, log: Log) {
    this.directory = directory;
    this.disk = new DiskRoom(directory);
    this.quota = quota;
    this.log = log;
  }

  /**
   * Promises `bytes` to what is about to be written: at once where they fit, and later where they do not and somebody is making room,
   * in the order in which it was asked; but what fits passes what does not, up to as many bytes as that wants itself: one large upload does not stop all small
   * ones, nor do they keep it waiting for ever. No room is made for more than `largestUpload`. Errors, at once or later: `exhausted`.
   */
  take(bytes: number): MaybePromise<void> {
    return this.takeOrWait(bytes, () => this.tryTake(bytes));
  }

  /** As `take`, where all of them fit and nothing waits; else nothing is done, and it says false. */
  takeAtOnce(bytes: number): boolean {
    return this.waiting.size === 0 && this.tryTake(bytes) === undefined;
  }

  /** As `take`, for bytes that are on the disk already and shared from now on. */
  takeShared(bytes: number): MaybePromise<void> {
    const tryTake = (): NoRoom | undefined => {
      const refusal = this.overQuota(bytes);
      if (refusal === undefined) this.add(bytes);
      return refusal;
    };
    return this.takeOrWait(bytes, tryTake);
  }

  /** Counts what is there, or has to be written, whatever the limits say; or, of what is negative, that there is less of it. */
  add(bytes: number): void {
    this.used += bytes;
    if (this.used > this.highMark) this.passMark();
    else this.above = false;
    if (bytes < 0 && this.waiting.size > 0) this.serveSoon();
  }

  /** As `add`, for what is going to be given back before long: nobody has to make room for it. */
  lend(bytes: number): void {
    this.used += bytes;
  }

  /** Takes back what `take` or `add` counted. */
  giveBack(bytes: number): void {
    this.add(-bytes);
  }

  /** Bytes on the disk that are not the store's and count all the same. */
  get others(): number {
    return this.otherBytes;
  }

  setOthers(bytes: number): void {
    const before = this.otherBytes;
    this.otherBytes = bytes;
    this.add(bytes - before);
  }

  /**
   * `onPressure` is called when what is used passes `highMark` bytes (at once where it has), once until it has come back, and each time that
   * something does not fit, with the bytes that it needs. It is called in the midst of an upload: where it has called `makingRoom` when it returns, that upload waits.
   */
  watch(highMark: number, onPressure: (wanted: number) => void): void {
    this.highMark = highMark;
    this.onPressure = onPressure;
    this.above = false;
    if (this.used > highMark) this.passMark();
  }

  /** What does not fit waits from now on instead of being refused, until whoever makes room disposes of this. */
  makingRoom(): Disposable {
    this.makers++;
    let making = true;
    return {
      [Symbol.dispose]: () => {
        if (!making) return;
        making = false;
        this.makers--;
        if (this.waiting.size > 0) this.serveSoon();
      },
    };
  }

  /** Whether something waits for room. */
  get isShort(): boolean {
    return this.waiting.size > 0;
  }

  /** Refuses what waits. */
  close(): void {
    const closing = new StillageError("unavailable", "the store is being closed");
    for (const each of this.waiting) this.settle(each, () => each.reject(closing));
  }

  private takeOrWait(bytes: number, take: () => NoRoom | undefined): MaybePromise<void> {
    if (this.waiting.size > 0 && !this.mayPass(bytes, this.waiting)) return this.wait(bytes, take);
    const refusal = take();
    if (refusal !== undefined) return this.wait(bytes, take, this.waiting.size > 0 ? undefined : refusal);
    if (this.waiting.size > 0) this.passed += bytes;
  }

  private mayPass(bytes: number, waiting: Iterable<Waiting>): boolean {
    for (const { limit } of waiting) if (this.passed + bytes > limit) return false;
    return true;
  }

  private tryTake(bytes: number): NoRoom | undefined {
    const refusal = this.overQuota(bytes) ?? this.disk.take(bytes);
    if (refusal === undefined) this.add(bytes);
    return refusal;
  }

  private overQuota(bytes: number): NoRoom | undefined {
    if (this.quota === undefined || this.used + bytes <= this.quota) return undefined;
    return {
      message: `the store is full: it has ${this.used} of ${this.quota} bytes in use and ${bytes} more are needed`,
      hint: "raise the quota, or remove what is no longer needed",
    };
  }

  private neverMadeRoomFor(bytes: number): NoRoom | undefined {
    const { quota } = this;
    if (quota === undefined) return undefined;
    if (bytes <= largestUpload(quota)) return bytes + this.otherBytes > quota ? this.overQuota(bytes) : undefined;
    return {
      message: `the store is full: nothing is removed for a single upload of ${bytes} bytes, more than half of the quota of ${quota} bytes`,
      hint: `raise the quota to more than ${2 * bytes} bytes, or upload less at once`,
    };
  }

  /** `refusal`: why it does not fit, where that is known; else it waits for those before it. */
  private wait(bytes: number, take: () => NoRoom | undefined, refusal?: NoRoom): Promise<void> {
    const tooLarge = this.neverMadeRoomFor(bytes);
    if (tooLarge !== undefined) throw this.refuse(tooLarge);
    if (refusal !== undefined) {
      this.onPressure(bytes);
      if (this.makers === 0) throw this.refuse(refusal);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.settle(waiting, () => {
          const late = take();
          if (late === undefined) resolve();
          else reject(this.refuse(late));
        });
        this.serveSoon();
      }, patienceMs);
      const waiting = { bytes, limit: this.passed + bytes, take, resolve, reject, timer };
      this.waiting.add(waiting);
    });
  }

  /** Not at once: whoever gives something back to take it again in another form shall not find it gone. */
  private serveSoon(): void {
    if (this.serving) return;
    this.serving = true;
    setImmediate(() => {
      this.serving = false;
      this.serve();
    });
  }

  private serve(): void {
    let least = Number.POSITIVE_INFINITY; // of the limits of those that still wait
    for (const each of this.waiting) {
      const passed = least === Number.POSITIVE_INFINITY ? 0 : each.bytes;
      const refusal = this.passed + passed > least ? undefined : each.take();
      if (this.passed + passed > least || (refusal !== undefined && this.makers > 0)) {
        least = Math.min(least, each.limit);
        continue;
      }
      if (refusal === undefined) this.passed += passed;
      this.settle(each, () => (refusal === undefined ? each.resolve() : each.reject(this.refuse(refusal))));
    }
  }

  private settle(waiting: Waiting, answer: () => void): void {
    this.waiting.delete(waiting);
    clearTimeout(waiting.timer);
    answer();
  }

  private passMark(): void {
    if (this.above) return;
    this.above = true;
    this.onPressure(0);
  }

  private refuse({ message, hint }: NoRoom): StillageError {
    const now = performance.now();
    if (now - this.logged >= logEveryMs) {
      this.logged = now;
      this.log.warn({ directory: this.directory, hint }, `an upload is refused: ${message}`);
    }
    return new StillageError("exhausted", message, { hint });
  }
}
