import type { DigestFunction } from "../base/digest-function.ts";
import type { BlobCensus, StoreCensus, TenantCensus } from "../store/blob-census.ts";
import type { BlobReader } from "../store/blob-store.ts";

/** The time of what is reached by a pinned ref, or by one that was used or put during the sweep. Times are seconds since 1970. */
export const kept = 0xffffffff;

/** The time of what only such refs reach as go whatever the room is: less than any real time, more than that of what no ref reaches. */
export const condemned = 1;

/** What is made ready for blobs that come during a sweep. */
const growth = 1.125;

/** What `ShelfMarks.begin` tells apart: the kinds of walks, and counting. */
export const bits = { directory: 1, tree: 2, artifact: 4, source: 8, counted: 16, commit: 32, dirtree: 64 } as const;

/** What is known of the blobs of one shelf: five bytes for each. */
export class ShelfMarks {
  readonly census: BlobCensus;
  /** The blobs that there were at first have numbers below. What comes later may lead to them; it is leased, as are those that get numbers below. */
  readonly top: number;
  /** When the ref that was used last, of those that reach a blob, was used; 0 where none does. */
  reached: Uint32Array;
  /** What was done at each blob, as `bits`. */
  private walked: Uint8Array;

  constructor(census: BlobCensus) {
    this.census = census;
    this.top = census.top;
    this.walked = new Uint8Array(this.top);
    this.reached = new Uint32Array(this.top);
  }

  /** Notes that a ref of this time reaches a blob. */
  reach(number: number, time: number): void {
    if (number >= this.reached.length) this.grow(number);
    if ((this.reached[number] as number) < time) this.reached[number] = time;
  }

  /** Whether nobody has begun what a bit stands for at this blob yet; now somebody has. */
  begin(number: number, bit: number): boolean {
    if (number >= this.walked.length) this.grow(number);
    const before = this.walked[number] as number;
    this.walked[number] = before | bit;
    return (before & bit) === 0;
  }

  forgetWalks(): void {
    this.walked.fill(0);
  }

  private grow(number: number): void {
    const length = Math.ceil((number + 1) * growth);
    const [walked, reached] = [new Uint8Array(length), new Uint32Array(length)];
    walked.set(this.walked);
    reached.set(this.reached);
    this.walked = walked;
    this.reached = reached;
  }
}

/** The marks of one instance. */
export class TenantMarks {
  readonly instance: string;
  readonly reader: BlobReader;
  readonly shelves: readonly ShelfMarks[];
  private readonly byFunction: ReadonlyMap<DigestFunction, ShelfMarks>;

  constructor({ instance, reader, shelves }: TenantCensus) {
    this.instance = instance;
    this.reader = reader;
    this.shelves = shelves.map((each) => new ShelfMarks(each));
    this.byFunction = new Map(this.shelves.map((each) => [each.census.function, each]));
  }

  shelf(fn: DigestFunction): ShelfMarks | undefined {
    return this.byFunction.get(fn);
  }

  /** Lets everything be walked anew. */
  forgetWalks(): void {
    for (const shelf of this.shelves) shelf.forgetWalks();
  }
}

/** The marks of every instance by its name. */
export function marksOf({ tenants }: StoreCensus): ReadonlyMap<string, TenantMarks> {
  return new Map(tenants.map((each) => [each.instance, new TenantMarks(each)]));
}
