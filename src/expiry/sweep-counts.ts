import type { RefKind } from "../store/ref-admin.ts";
import type { SweepReport } from "./report.ts";
import type { Reason } from "./verdicts.ts";

/** Refs that were evicted since the start, of one kind and by one rule. */
export interface EvictedCount extends RefKind, Pick<Reason, "rule"> {
  refs: number;
}

/** What sweeps have come to since the start. */
export interface SweepCounts {
  readonly done: number;
  readonly failed: number;
  readonly running: boolean;
  readonly evicted: readonly EvictedCount[];
  readonly blobs: number;
  readonly bytes: number;
  /** In sweeps, all together. */
  readonly seconds: number;
  /** The last one that ended well; `undefined` before that. */
  readonly last: SweepReport | undefined;
  /** When it ended, in milliseconds since 1970. */
  readonly lastEnded: number | undefined;
  /** Why the last one failed; `undefined` where it did not. */
  readonly lastError: string | undefined;
}

/** Adds sweeps up. */
export class SweepTally implements SweepCounts {
  done = 0;
  failed = 0;
  running = false;
  evicted: EvictedCount[] = [];
  blobs = 0;
  bytes = 0;
  seconds = 0;
  last: SweepReport | undefined;
  lastEnded: number | undefined;
  lastError: string | undefined;

  add(report: SweepReport, ended: number): void {
    this.done++;
    this.blobs += report.removed.blobs;
    this.bytes += report.removed.bytes;
    this.seconds += report.seconds;
    this.last = report;
    this.lastEnded = ended;
    this.lastError = undefined;
    for (const each of report.evicted) this.addRefs(each);
  }

  fail(error: string): void {
    this.failed++;
    this.lastError = error;
  }

  private addRefs({ space, instance, rule, refs }: EvictedCount): void {
    const known = this.evicted.find((each) => each.space === space && each.instance === instance && each.rule === rule);
    if (known === undefined) this.evicted.push({ space, instance, rule, refs });
    else known.refs += refs;
  }
}
