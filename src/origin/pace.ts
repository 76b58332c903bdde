import { StillageError } from "../base/errors.ts";

/** The least that a server sends in a while, or it is taken for one that only holds a place: some 550 bytes a second. */
export const minBytes = 16 << 10;
export const whileSeconds = 30;

/** Calls each second until it is disposed of. */
export type Ticks = (tick: () => void) => Disposable;

export const everySecond: Ticks = (tick) => {
  const timer = setInterval(tick, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
};

/** Watches how fast something comes, by the seconds in which somebody waited for it. */
export class Pace {
  private readonly tooSlow: (error: StillageError) => void;
  private bytes = 0;
  private seconds = 0;
  private held = false;

  /** `tooSlow` is told, at most once, with `deadline`. */
  constructor(tooSlow: (error: StillageError) => void) {
    this.tooSlow = tooSlow;
  }

  /** So much has come. */
  took(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes < minBytes) return;
    this.bytes = 0;
    this.seconds = 0;
  }

  /** Nobody reads while `work` lasts: that time does not count. */
  async aside(work: Promise<void>): Promise<void> {
    this.held = true;
    try {
      await work;
    } finally {
      this.held = false;
    }
  }

  /** A second has passed. */
  readonly tick = (): void => {
    if (this.held || ++this.seconds !== whileSeconds) return;
    const why = this.bytes === 0 ? "has fallen silent" : `sends less than ${minBytes} bytes in ${whileSeconds} s`;
    this.tooSlow(new StillageError("deadline", `the origin ${why}`));
  };
}
