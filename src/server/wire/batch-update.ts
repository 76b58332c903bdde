import type { Digest } from "../../base/digest.ts";
import { type DigestFunction, functionOfHexLength } from "../../base/digest-function.ts";
import { digestOfHex } from "../../base/digest-list.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";
import { noteEntry } from "./batch-bounds.ts";
import { DigestFields, namedFunction } from "./digest-fields.ts";

const instanceTag = tagOf(1, wireBytes);
const requestTag = tagOf(2, wireBytes);
const functionTag = tagOf(5, wireVarint);
const digestTag = tagOf(1, wireBytes);
const dataTag = tagOf(2, wireBytes);
const compressorTag = tagOf(3, wireVarint);
const none: Uint8Array = new Uint8Array(0);

/** One blob of a BatchUpdateBlobsRequest. */
export interface UpdateEntry {
  /** The Digest message as it came, for the answer. */
  readonly encoded: Uint8Array;
  /** What it says; `undefined` where that names no blob of the function asked for: one bad digest does not fail the others. */
  readonly digest: Digest | undefined;
  /** A view of the request. */
  readonly data: Uint8Array;
  /** Compressor.Value. */
  readonly compressor: number;
}

export interface BatchUpdate {
  readonly instance: string;
  readonly entries: readonly UpdateEntry[];
}

/** Decodes a BatchUpdateBlobsRequest; the data stays where it lies. Errors: `invalid`. */
export function decodeBatchUpdate(request: Uint8Array): BatchUpdate {
  const reader = new ProtobufReader(request);
  const bounds: number[] = [];
  let instance = "";
  let named = 0;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === requestTag) noteEntry(bounds, reader);
    else if (tag === instanceTag) instance = reader.text();
    else if (tag === functionTag) named = reader.value;
  }
  // The function stands behind the entries on the wire.
  const fn = namedFunction(named);
  const entries: UpdateEntry[] = [];
  for (let i = 0; i < bounds.length; i += 2) {
    entries.push(decodeEntry(request, bounds[i] as number, bounds[i + 1] as number, fn));
  }
  return { instance, entries };
}

function decodeEntry(request: Uint8Array, start: number, end: number, fn: DigestFunction | undefined): UpdateEntry {
  const reader = new ProtobufReader(request, start, end);
  const fields = new DigestFields();
  let encoded = none;
  let data = none;
  let compressor = 0;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === digestTag) {
      encoded = reader.view();
      fields.read(request, reader.start, reader.end);
    } else if (tag === dataTag) data = reader.view();
    else if (tag === compressorTag) compressor = reader.value;
  }
  return { encoded, digest: toDigest(request, fields, fn), data, compressor };
}

function toDigest(request: Uint8Array, fields: DigestFields, named: DigestFunction | undefined): Digest | undefined {
  const fn = named ?? functionOfHexLength(fields.hexLength);
  return fn && digestOfHex(fn, request, fields.hashStart, fields.hashEnd, fields.size);
}
