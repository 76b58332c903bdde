import type { Clock } from "../../base/clock.ts";

/** What the rate is taken over, and how finely. */
const windowMs = 5000;
const stepMs = 250;

/** How far transfers are. Bytes and blobs are those that have to be moved: what is there already does not count. */
export interface TransferState {
  /** `all` grows while names are listed. */
  readonly items: { readonly done: number; readonly all: number };
  readonly blobs: { readonly done: number; readonly all: number };
  readonly bytes: { readonly done: number; readonly all: number };
  /** Whether all that has to be moved is known by now. */
  readonly allKnown: boolean;
  /** Over the last seconds; `undefined` before there is anything to tell from. */
  readonly bytesPerSecond: number | undefined;
  /**
   * Until what is known has moved. While it is not all known, as long as the items that are left take if they are like those that are done, and at least that;
   * `undefined` where nothing tells.
   */
  readonly secondsLeft: number | undefined;
}

/** Counts what transfers tell of themselves. */
export class TransferProgress {
  private readonly clock: Clock;
  private readonly whole: TransferProgress | undefined;
  private readonly items = { begun: 0, done: 0, all: 0 };
  private began: number | undefined;
  private listing = 0;
  private readonly blobs = { done: 0, all: 0 };
  private readonly bytes = { done: 0, all: 0 };
  private walking = 0;
  /** The bytes that were done at a time, oldest first, a step apart. */
  private readonly samples: { readonly time: number; readonly bytes: number }[] = [];

  /** What is told of blobs counts in `whole` as well. */
  constructor(clock: Clock, whole?: TransferProgress) {
    this.clock = clock;
    this.whole = whole;
  }

  /** That of one item of this. */
  ofItem(): TransferProgress {
    return new TransferProgress(this.clock, this);
  }

  /** What has moved. */
  get done(): { readonly blobs: number; readonly bytes: number } {
    return { blobs: this.blobs.done, bytes: this.bytes.done };
  }

  addItems(count: number): void {
    this.items.all += count;
  }

  /** Items are being listed: there may be more of them than were added. */
  listBegins(): void {
    this.listing += 1;
  }

  listEnds(): void {
    this.listing -= 1;
  }

  itemBegins(): void {
    this.began ??= this.clock();
    this.items.begun += 1;
  }

  itemDone(): void {
    this.items.done += 1;
  }

  /** An artifact of which it is not yet known what has to be moved. */
  walkBegins(): void {
    this.walking += 1;
    this.whole?.walkBegins();
  }

  walkEnds(): void {
    this.walking -= 1;
    this.whole?.walkEnds();
  }

  /** What has to be moved. Negative for what was found before, and turns out to be there, or does not come at all. */
  found(blobs: number, bytes: number): void {
    this.sample();
    this.blobs.all += blobs;
    this.bytes.all += bytes;
    this.whole?.found(blobs, bytes);
  }

  moved(blobs: number, bytes: number): void {
    this.sample();
    this.blobs.done += blobs;
    this.bytes.done += bytes;
    this.whole?.moved(blobs, bytes);
  }

  state(): TransferState {
    const bytesPerSecond = this.rate();
    const left = this.bytes.all - this.bytes.done;
    const { begun, done, all } = this.items;
    const allKnown = this.walking === 0 && this.listing === 0 && begun >= all;
    const byBytes = bytesPerSecond ? left / bytesPerSecond : undefined;
    return {
      items: { done, all },
      blobs: { ...this.blobs },
      bytes: { ...this.bytes },
      allKnown,
      bytesPerSecond,
      secondsLeft: allKnown ? byBytes : this.secondsByItems(byBytes ?? 0),
    };
  }

  private secondsByItems(atLeast: number): number | undefined {
    const { done, all } = this.items;
    if (this.listing > 0 || done === 0 || this.began === undefined) return undefined;
    return Math.max(atLeast, ((this.clock() - this.began) / 1000 / done) * (all - done));
  }

  private sample(): void {
    const time = this.clock();
    const last = this.samples.at(-1);
    if (last !== undefined && time - last.time < stepMs) return;
    this.samples.push({ time, bytes: this.bytes.done });
    while (this.samples.length > 2 && time - (this.samples[1]?.time ?? time) > windowMs) this.samples.shift();
  }

  private rate(): number | undefined {
    const now = this.clock();
    const from = this.samples.find(({ time }) => now - time <= windowMs) ?? this.samples.at(-1);
    if (from === undefined || now - from.time < stepMs) return undefined;
    return Math.max(0, ((this.bytes.done - from.bytes) * 1000) / (now - from.time));
  }
}
