import { StillageError } from "../base/errors.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import type { Dictionary, Value } from "../base/gvariant/value.ts";
import { checkMetadataSize, maxMetadataBytes, reading } from "./metadata-limit.ts";
import { compareNames, firstOutOfOrder } from "./names.ts";
import { bytesOfChecksum, type Checksum, checksumOfBytes } from "./object-name.ts";

/** A ref, as a summary tells of it. */
export interface SummaryRef {
  readonly name: string;
  readonly commit: Checksum;
  /** Bytes of the commit object: clients download no more of it than that. */
  readonly commitBytes: number;
  readonly metadata: Dictionary;
}

/** The list of a repository's refs, in the order of `compareNames`, by which clients search. */
export interface Summary {
  readonly refs: readonly SummaryRef[];
  readonly metadata: Dictionary;
}

const summaryType = "(a(s(taya{sv}))a{sv})";

/** Errors: `invalid`, also for refs that are not in order. Names are as they come: `parseRefName` is for those who use one. */
export function decodeSummary(bytes: Uint8Array): Summary {
  checkMetadataSize("summary", bytes);
  return reading("summary", () => {
    const [list, metadata] = decode(summaryType, bytes) as [RefValue[], Dictionary];
    const refs = list.map(toRef);
    const wrong = firstOutOfOrder(refs);
    if (wrong !== undefined) refuse(`the ref ${JSON.stringify(wrong.slice(0, 300))} stands twice or is not in order`);
    return { refs, metadata };
  });
}

type RefValue = [name: string, commit: [size: bigint, checksum: Uint8Array, metadata: Dictionary]];

function toRef([name, [size, checksum, metadata]]: RefValue): SummaryRef {
  if (checksum.length !== 32) refuse(`the ref ${JSON.stringify(name.slice(0, 300))} has no checksum of 32 bytes`);
  if (size > maxMetadataBytes) refuse(`the commit of ${JSON.stringify(name.slice(0, 300))} has ${size} bytes`);
  return { name, commit: checksumOfBytes(checksum), commitBytes: Number(size), metadata };
}

/** The ref of a name, found by bisection. */
export function findRef({ refs }: Summary, name: string): SummaryRef | undefined {
  let from = 0;
  let to = refs.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const ref = refs[middle] as SummaryRef;
    const order = compareNames(ref.name, name);
    if (order === 0) return ref;
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return undefined;
}

/**
 * Writes a summary, sorting the refs. Errors: `invalid` for a name that stands twice; `exhausted` where it would be larger than clients
 * read it.
 */
export function encodeSummary({ refs, metadata }: Summary): Uint8Array<ArrayBuffer> {
  const sorted = firstOutOfOrder(refs) === undefined ? refs : refs.toSorted((a, b) => compareNames(a.name, b.name));
  const twice = firstOutOfOrder(sorted);
  if (twice !== undefined) throw new StillageError("invalid", `two refs of a summary are called ${twice}`);
  const bytes = encode(summaryType, [sorted.map(refValue), metadata]);
  if (bytes.length <= maxMetadataBytes) return bytes;
  throw new StillageError(
    "exhausted",
    `a summary of ${refs.length} refs has ${bytes.length} bytes: clients read ${maxMetadataBytes} at most`,
  );
}

function refValue({ name, commit, commitBytes, metadata }: SummaryRef): Value {
  return [name, [BigInt(commitBytes), bytesOfChecksum(commit), metadata]];
}

function refuse(why: string): never {
  throw new StillageError("invalid", why);
}
