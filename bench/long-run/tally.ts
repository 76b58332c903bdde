/** Violations of a promise that are kept with their words. */
const keptViolations = 50;

/** What has happened until now. */
export class Tally {
  pulled = 0;
  pushed = 0;
  /** Artifacts that were there once and had to be built again. */
  evicted = 0;
  pulledBytes = 0;
  pushedBytes = 0;
  /** Times that a builder was broken off by a kill, and that there was no room. */
  interrupted = 0;
  refused = 0;
  kills = 0;
  violations = 0;
  readonly violationTexts: string[] = [];
  /** The most bytes that the directory had, and the most memory that a server took. */
  peakDisk = 0;
  peakMemory = 0;
  /** From exec until ready, in milliseconds, after each kill. */
  readonly startsMs: number[] = [];

  violation(text: string): void {
    this.violations++;
    if (this.violationTexts.length < keptViolations) this.violationTexts.push(text);
    console.error(`VIOLATION ${text}`);
  }

  /** For somebody who watches. */
  line(): string {
    const { pushed, pulled, evicted, kills, interrupted, refused, violations, peakDisk } = this;
    return JSON.stringify({ pushed, pulled, evicted, kills, interrupted, refused, violations, peakDisk });
  }

  figures(): object {
    const { startsMs, ...figures } = this;
    return { ...figures, slowestStartMs: Math.max(0, ...startsMs) };
  }
}
