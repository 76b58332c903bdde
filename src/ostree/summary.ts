import { StillageError } from "../base/errors.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import { widthFor } from "../base/gvariant/offset-width.ts";
import type { Dictionary } from "../base/gvariant/value.ts";
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

/** Where it is time to say that a summary becomes too large for clients up to libostree 2022.7, which read `maxMetadataBytes`. */
export const largeSummaryBytes = 8 * 1024 * 1024;

const summaryType = "(a(s(taya{sv}))a{sv})";
const refType = "(s(taya{sv}))";

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
  return joinSummary(sorted.map(encodeSummaryRef), metadata);
}

/** A ref as it stands in every summary, wherever that is: what a server can keep of it between two summaries. Errors: `invalid`. */
export function encodeSummaryRef({ name, commit, commitBytes, metadata }: SummaryRef): Uint8Array<ArrayBuffer> {
  return encode(refType, [name, [BigInt(commitBytes), bytesOfChecksum(commit), metadata]]);
}

/** Puts together what `encodeSummaryRef` made, which is in the order of the names. Errors: `exhausted`. */
export function joinSummary(refs: readonly Uint8Array[], metadata: Dictionary): Uint8Array<ArrayBuffer> {
  let at = 0;
  const ends = refs.map((ref) => {
    at = aligned(at) + ref.length;
    return at;
  });
  const width = widthFor(at, refs.length);
  const list = at + (refs.length === 0 ? 0 : width * refs.length);
  const tail = encode("a{sv}", metadata);
  const body = aligned(list) + tail.length;
  const outer = widthFor(body, 1);
  const size = body + outer;
  if (size > maxMetadataBytes) {
    throw new StillageError(
      "exhausted",
      `a summary of ${refs.length} refs has ${size} bytes: clients read ${maxMetadataBytes} at most`,
    );
  }
  const bytes = Buffer.alloc(size);
  for (const [i, ref] of refs.entries()) {
    const end = ends[i] ?? 0;
    bytes.set(ref, end - ref.length);
    bytes.writeUIntLE(end, at + i * width, width);
  }
  bytes.set(tail, aligned(list));
  bytes.writeUIntLE(list, body, outer);
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, size);
}

/** Refs and dictionaries begin at multiples of eight. */
const aligned = (at: number): number => (at + 7) & -8;

function refuse(why: string): never {
  throw new StillageError("invalid", why);
}
