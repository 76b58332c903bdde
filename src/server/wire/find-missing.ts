import { randomInt } from "node:crypto";
import { type DigestFunction, functionOfHexLength, functionOfValue, sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";
import { DigestFields, listForLength, namedFunction } from "./digest-fields.ts";

const instanceTag = tagOf(1, wireBytes);
const digestTag = tagOf(2, wireBytes);
const functionTag = tagOf(3, wireVarint);

/** The bytes of an encoded digest with a SHA-256 hash and a size of some digits: to guess how many a request holds. */
const usualEntryBytes = 72;

/** A FindMissingBlobsRequest, with the place of every digest in its bytes. */
export interface FindMissing {
  readonly instance: string;
  readonly digests: DigestList;
  /** For each digest: where its encoded field begins (with the tag), and ends. */
  readonly places: Uint32Array;
}

/**
 * Decodes a FindMissingBlobsRequest without an object for each digest. A digest without a hash and a size, as old
 * clients send it for what they do not have, is passed over. Errors: `invalid`.
 */
export function decodeFindMissing(request: Uint8Array): FindMissing {
  // The function stands behind the digests, most often in the last two bytes. A wrong guess costs a second reading, and nothing else.
  const named = request.length > 1 && request[request.length - 2] === functionTag;
  return decodeAs(request, named ? functionOfValue(request[request.length - 1] as number) : undefined);
}

/** `assumed`: the function of hashes of its length. Where it is another one in the end, all is read again. */
function decodeAs(request: Uint8Array, assumed: DigestFunction | undefined): FindMissing {
  const guess = Math.ceil(request.length / usualEntryBytes) + 1;
  const reader = new ProtobufReader(request);
  const digest = new DigestFields();
  let instance = "";
  let named = 0;
  let digests: DigestList | undefined;
  let places = new Uint32Array(guess * 2);
  let bad: DigestFields | undefined;
  for (let before = 0, tag = reader.field(); tag !== 0; before = reader.pos, tag = reader.field()) {
    if (tag === digestTag) {
      digest.read(request, reader.start, reader.end);
      if (digest.hexLength === 0 && digest.size === 0) continue;
      digests ??= listForLength(digest.hexLength, guess, assumed);
      if (digests?.pushHex(request, digest.hashStart, digest.hashEnd, digest.size) === true) {
        const at = digests.length * 2;
        if (at > places.length) places = grown(places);
        places[at - 2] = before;
        places[at - 1] = reader.pos;
      } else bad ??= Object.assign(new DigestFields(), digest);
    } else if (tag === instanceTag) instance = reader.text();
    else if (tag === functionTag) named = reader.value;
  }
  const fn = namedFunction(named);
  digests ??= new DigestList(fn ?? sha256, 0);
  const wanted = fn ?? functionOfHexLength(digests.function.hexLength);
  if (wanted !== undefined && wanted !== digests.function && wanted.hexLength === digests.function.hexLength) {
    return decodeAs(request, wanted);
  }
  if (bad !== undefined) refuse(request, bad);
  if (fn !== undefined && fn !== digests.function) {
    throw new StillageError("invalid", `the request names ${fn.name}, its hashes are of ${digests.function.name}`);
  }
  return { instance, digests, places };
}

/**
 * Encodes the FindMissingBlobsResponse: the entries of the request at `missing`, each digest once. Request and
 * response number the field alike, so the entries are copied as they came.
 */
export function encodeMissing(request: Uint8Array, asked: FindMissing, missing: readonly number[]): Uint8Array {
  const { places } = asked;
  const wanted = withoutDuplicates(asked.digests, missing);
  let length = 0;
  for (const i of wanted) length += (places[i * 2 + 1] as number) - (places[i * 2] as number);
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (let k = 0; k < wanted.length; ) {
    const start = places[(wanted[k] as number) * 2] as number;
    let end: number;
    // Neighbours go in one copy.
    do end = places[(wanted[k++] as number) * 2 + 1] as number;
    while (k < wanted.length && places[(wanted[k] as number) * 2] === end);
    out.set(request.subarray(start, end), at);
    at += end - start;
  }
  return out;
}

/** Odd and unknown to clients, who could otherwise choose hashes that all fall into one slot. */
const mixers = Uint32Array.from({ length: 16 }, () => randomInt(2 ** 32) | 1);

/** `positions` without those whose digest stands at an earlier one already. */
function withoutDuplicates(digests: DigestList, positions: readonly number[]): readonly number[] {
  if (positions.length < 2) return positions;
  const { words, sizes } = digests;
  const width = digests.function.words;
  let capacity = 4;
  while (capacity < positions.length * 2) capacity *= 2;
  const slots = new Int32Array(capacity).fill(-1);
  const same = (a: number, b: number): boolean => {
    if (sizes[a] !== sizes[b]) return false;
    for (let w = 0; w < width; w++) if (words[a * width + w] !== words[b * width + w]) return false;
    return true;
  };
  const kept: number[] = [];
  for (const i of positions) {
    let mixed = 0;
    for (let w = 0; w < width; w++)
      mixed = (mixed + Math.imul(words[i * width + w] as number, mixers[w] as number)) | 0;
    let slot = (mixed >>> 7) & (capacity - 1);
    let held = slots[slot] as number;
    while (held >= 0 && !same(held, i)) {
      slot = (slot + 1) & (capacity - 1);
      held = slots[slot] as number;
    }
    if (held >= 0) continue;
    slots[slot] = i;
    kept.push(i);
  }
  return kept;
}

function grown(places: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(places.length * 2 + 2);
  larger.set(places);
  return larger;
}

function refuse(request: Uint8Array, digest: DigestFields): never {
  const hash = Buffer.from(request.subarray(digest.hashStart, Math.min(digest.hashEnd, digest.hashStart + 130)));
  throw new StillageError(
    "invalid",
    `${JSON.stringify(hash.toString())}/${digest.size} is no digest: one function's hash in lower-case hex and a size are wanted`,
  );
}
