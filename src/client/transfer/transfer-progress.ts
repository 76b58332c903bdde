import type { Clock } from "../../base/clock.ts";

/** What the rate is taken over, and how finely. */
const windowMs = 5000;
const stepMs = 250;

/** How far transfers are. Bytes and blobs are those that have to be moved: what is there already does not count. */
export interface TransferState {
  readonly items: { readonly done: number; readonly all: number };
  readonly blobs: { readonly done: number; readonly all: number };
  readonly bytes: { readonly done: number; readonly all: number };
  /** Whether all that has to be moved is known by now. */
  readonly allKnown: boolean;
  /** Over the last seconds; `undefined` before there is anything to tell from. */
  readonly bytesPerSecond: number | undefined;
  /** Until what is known has moved; `undefined` where the rate is, or is nothing. */
  readonly secondsLeft: number | undefined;
}

/** Counts what transfers tell of themselves. */
export class TransferProgress {
  private readonly clock: Clock;
  private readonly items = { done: 0, all: 0 };
  private readonly blobs = { done: 0, all: 0 };
  private readonly bytes = { done: 0, all: 0 };
  private walking = 0;
  /** The bytes that were done at a time, oldest first, a step apart. */
  private readonly samples: { readonly time: number; readonly bytes: number }[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  addItems(count: number): void {
    this.items.all += count;
  }

  itemDone(): void {
    this.items.done += 1;
  }

  /** An artifact of which it is not yet known what has to be moved. */
  walkBegins(): void {
    this.walking += 1;
  }

  walkEnds(): void {
    this.walking -= 1;
  }

  found(blobs: number, bytes: number): void {
    this.sample();
    this.blobs.all += blobs;
    this.bytes.all += bytes;
  }

  moved(blobs: number, bytes: number): void {
    this.sample();
    this.blobs.done += blobs;
    this.bytes.done += bytes;
  }

  state(): TransferState {
    const bytesPerSecond = this.rate();
    const left = this.bytes.all - this.bytes.done;
    return {
      items: { ...this.items },
      blobs: { ...this.blobs },
      bytes: { ...this.bytes },
      allKnown: this.walking === 0,
      bytesPerSecond,
      secondsLeft: bytesPerSecond ? left / bytesPerSecond : undefined,
    };
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
