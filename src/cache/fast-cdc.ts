import { hash } from "node:crypto";
import { StillageError } from "../base/errors.ts";

/** FastCDC as published in 2020 (Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication Based Storage Systems"). */
export interface ChunkSizes {
  /** A power of two. Chunks are of some 1.2 times this on average. */
  readonly average: number;
  /** No chunk is smaller, but for the last. */
  readonly min: number;
  readonly max: number;
}

/** The sizes that belong to an average (remote_execution.proto, FastCdc2020Params). */
export function chunkSizes(average: number): ChunkSizes {
  return { average, min: average / 4, max: average * 4 };
}

/**
 * Bits of the fingerprint that are zero where a chunk ends, by their number, as the authors' program has them. Level 2 of normalization,
 * which the API prescribes, takes two more than the average's logarithm before the average is reached and two fewer behind it.
 */
const masks: readonly bigint[] = [
  0x1800035300n, // 8
  0x19000353000n,
  0x590003530000n,
  0xd90003530000n,
  0xd90103530000n, // 12
  0xd90303530000n,
  0xd90313530000n,
  0xd90f03530000n,
  0xd90303537000n, // 16
  0xd90703537000n,
  0xd90707537000n,
  0xd91707537000n,
  0xd91747537000n, // 20
  0xd91767537000n,
  0xd93767537000n,
];
const firstMask = 8;
const normalization = 2;

/** Each byte moves the ones before it up by a bit, so that after 64 nothing of them is left. */
const windowBytes = 64;

/** The gear of each byte, in halves: the first 64 bits of the MD5 of the byte, 64 times. */
interface Gears {
  readonly low: Int32Array;
  /** Twice `low`. */
  readonly lowShifted: Int32Array;
  readonly high: Int32Array;
}

let gears: Gears | undefined;

function makeGears(): Gears {
  const low = new Int32Array(256);
  const lowShifted = new Int32Array(256);
  const high = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const digest = hash("md5", new Uint8Array(64).fill(byte), "buffer");
    high[byte] = digest.readInt32BE(0);
    low[byte] = digest.readInt32BE(4);
    lowShifted[byte] = (low[byte] as number) << 1;
  }
  return { low, lowShifted, high };
}

interface Mask {
  readonly low: number;
  readonly high: number;
}

/**
 * Finds where chunks end. The fingerprint has 64 bits: twice the one before plus the gear of the byte. Carries only go upwards, so its lower
 * half is computed alone, in 32 bits; only where that half meets the mask, once in hundreds or thousands of bytes, is the upper half worked out,
 * from the last 64 bytes. No mask has bit 31, so that none of its bits is lost where the fingerprint stands shifted by one.
 */
export class FastCdc {
  readonly sizes: ChunkSizes;
  private readonly before: Mask;
  private readonly behind: Mask;
  private readonly gears: Gears;
  /** The lower half of the fingerprint, where `scan` has stopped. */
  private print = 0;
  /** Both halves, of the bytes before `known`. */
  private lower = 0;
  private upper = 0;
  private known = 0;

  /** `sizes`: even, the average a power of two from 1 KiB to 1 MiB. Errors: `invalid`. */
  constructor(sizes: ChunkSizes) {
    const { average, min, max } = sizes;
    const bits = Math.log2(average);
    const even = min % 2 === 0 && average % 2 === 0;
    if (!Number.isInteger(bits) || bits < 10 || bits > 20 || !even || min < 2 || min >= average || max <= average) {
      throw new StillageError("invalid", `chunks of ${min}, ${average} and ${max} bytes: FastCDC cannot cut such`);
    }
    this.sizes = sizes;
    this.before = maskOf(bits + normalization);
    this.behind = maskOf(bits - normalization);
    gears ??= makeGears();
    this.gears = gears;
  }

  /**
   * Where the chunk ends that begins at `start`. `end` is where the bytes at hand end: less than `sizes.max` behind `start` only where the
   * blob ends there.
   */
  cut(bytes: Uint8Array, start: number, end: number): number {
    const { min, average, max } = this.sizes;
    const limit = Math.min(end, start + max);
    if (limit - start <= min) return limit;
    // Two bytes in a step, as the paper has it (section 3.7), so that a single last byte ends no chunk before it.
    const last = limit - ((limit - start) & 1);
    const middle = Math.min(start + average, last);
    const from = start + min;
    this.print = 0;
    this.lower = 0;
    this.upper = 0;
    this.known = from;
    return this.find(bytes, from, middle, this.before) ?? this.find(bytes, middle, last, this.behind) ?? limit;
  }

  /** The first position from `at` to `to` where the fingerprint meets the mask. */
  private find(bytes: Uint8Array, at: number, to: number, mask: Mask): number | undefined {
    for (let pair = this.scan(bytes, at, to, mask.low); pair < to; pair = this.scan(bytes, pair + 2, to, mask.low)) {
      if (this.meets(bytes, pair, mask)) return pair;
      if (this.meets(bytes, pair + 1, mask)) return pair + 1;
    }
    return undefined;
  }

  /** The next pair of bytes where the lower half of the fingerprint meets the mask, at the first or the second; `to` where none does. */
  private scan(bytes: Uint8Array, start: number, to: number, mask: number): number {
    const { low, lowShifted } = this.gears;
    const shifted = mask << 1;
    let print = this.print;
    let at = start;
    for (; at < to; at += 2) {
      const first = ((print << 2) + (lowShifted[bytes[at] as number] as number)) | 0;
      print = (first + (low[bytes[at + 1] as number] as number)) | 0;
      if ((first & shifted) === 0 || (print & mask) === 0) break;
    }
    this.print = print;
    return at;
  }

  /** Whether the whole fingerprint at `at` meets the mask. Goes on where it was worked out last, if that is near: no content costs more than a step a byte. */
  private meets(bytes: Uint8Array, at: number, mask: Mask): boolean {
    const { low, high } = this.gears;
    let { lower, upper } = this;
    let next = this.known;
    if (at - next >= windowBytes) {
      next = at - windowBytes + 1;
      lower = 0;
      upper = 0;
    }
    for (; next <= at; next++) {
      const byte = bytes[next] as number;
      const sum = (lower >>> 0) * 2 + ((low[byte] as number) >>> 0);
      lower = sum | 0;
      upper = ((upper << 1) + (high[byte] as number) + Math.floor(sum / 0x100000000)) | 0;
    }
    this.known = next;
    this.lower = lower;
    this.upper = upper;
    return ((lower & mask.low) | (upper & mask.high)) === 0;
  }
}

function maskOf(bits: number): Mask {
  const mask = masks[bits - firstMask] as bigint;
  return { low: Number(mask & 0xffffffffn) | 0, high: Number(mask >> 32n) | 0 };
}
