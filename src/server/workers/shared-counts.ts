import { type AdmissionCounts, type Bounded, bounded } from "../admission-counts.ts";

/** Places for clients of one kind. With a thousand clients, one in sixty shares its place, and so its bound, with another. */
const places = 1 << 16;

/** Of each worker: for each kind a number for all, then the clients' places. */
const perKind = 1 + places;
const perWorker = perKind * bounded.length;

/** What the counts of several threads lie in. */
export interface SharedCountsMemory {
  readonly counts: SharedArrayBuffer;
  /** Random: nobody can choose a name that shares the place of another one. */
  readonly seed: number;
}

export function sharedCountsMemory(workers: number, seed: number): SharedCountsMemory {
  return { counts: new SharedArrayBuffer(workers * perWorker * Int32Array.BYTES_PER_ELEMENT), seed };
}

/** Forgets what a worker that has ended had counted. */
export function clearCounts({ counts }: SharedCountsMemory, worker: number): void {
  new Int32Array(counts).fill(0, worker * perWorker, (worker + 1) * perWorker);
}

/**
 * The counts of several threads, in memory that they share: bounds hold for all of them together. Each writes to a part of its own and adds up those of
 * all, so nobody waits for a lock, and what a dead thread had counted goes with its part. Two that count at the same moment may both get the
 * last place.
 */
export class SharedCounts implements AdmissionCounts {
  private readonly counts: Int32Array;
  private readonly seed: number;
  private readonly own: number;

  /** `worker`: from 0. */
  constructor({ counts, seed }: SharedCountsMemory, worker: number) {
    this.counts = new Int32Array(counts);
    this.seed = seed;
    this.own = worker * perWorker;
  }

  all(kind: Bounded): number {
    return this.sum(offsetOf(kind));
  }

  client(kind: Bounded, client: string): number {
    return this.sum(offsetOf(kind) + this.placeOf(client));
  }

  here(kind: Bounded): number {
    return Atomics.load(this.counts, this.own + offsetOf(kind));
  }

  add(kind: Bounded, client: string | undefined, more: 1 | -1): void {
    const at = this.own + offsetOf(kind);
    Atomics.add(this.counts, at, more);
    if (client !== undefined) Atomics.add(this.counts, at + this.placeOf(client), more);
  }

  private sum(at: number): number {
    let sum = 0;
    for (let i = at; i < this.counts.length; i += perWorker) sum += Atomics.load(this.counts, i);
    return sum;
  }

  private placeOf(client: string): number {
    let hash = this.seed;
    for (let i = 0; i < client.length; i++) hash = Math.imul(hash ^ client.charCodeAt(i), 0x01000193);
    return 1 + ((hash ^ (hash >>> 15)) & (places - 1));
  }
}

function offsetOf(kind: Bounded): number {
  return bounded.indexOf(kind) * perKind;
}
