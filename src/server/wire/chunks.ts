import type { Digest } from "../../base/digest.ts";
import { functionOfHexLength } from "../../base/digest-function.ts";
import { DigestList, digestOfHex } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { ProtobufReader, tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../../base/protobuf.ts";
import { noteEntry } from "./batch-bounds.ts";
import { DigestFields, namedFunction } from "./digest-fields.ts";

const instanceTag = tagOf(1, wireBytes);
const blobTag = tagOf(2, wireBytes);
const chunkTag = tagOf(3, wireBytes);
const functionTag = tagOf(4, wireVarint);
const chunkingTag = tagOf(5, wireVarint);
const hashTag = tagOf(1, wireBytes);
const sizeTag = tagOf(2, wireVarint);
const answerChunkTag = tagOf(1, wireBytes);
const answerChunkingTag = tagOf(2, wireVarint);

/** A SpliceBlobRequest. */
export interface SpliceRequest {
  readonly instance: string;
  readonly blob: Digest;
  readonly chunks: DigestList;
  /** ChunkingFunction.Value. */
  readonly chunkingFunction: number;
}

/** Decodes a SpliceBlobRequest without an object for each of the chunks, which may be tens of thousands. Errors: `invalid`. */
export function decodeSplice(request: Uint8Array): SpliceRequest {
  const reader = new ProtobufReader(request);
  const fields = new DigestFields();
  const bounds: number[] = [];
  let instance = "";
  let named = 0;
  let chunkingFunction = 0;
  let hasBlob = false;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === chunkTag) noteEntry(bounds, reader);
    else if (tag === blobTag) {
      fields.read(request, reader.start, reader.end);
      hasBlob = true;
    } else if (tag === instanceTag) instance = reader.text();
    else if (tag === functionTag) named = reader.value;
    else if (tag === chunkingTag) chunkingFunction = reader.value;
  }
  if (!hasBlob) throw new StillageError("invalid", "blob_digest is missing");
  const fn = namedFunction(named) ?? functionOfHexLength(fields.hexLength);
  const blob = fn && digestOfHex(fn, request, fields.hashStart, fields.hashEnd, fields.size);
  if (blob === undefined) throw new StillageError("invalid", "blob_digest is no digest of a function served here");
  const chunks = new DigestList(blob.function, bounds.length / 2);
  for (let i = 0; i < bounds.length; i += 2) {
    fields.read(request, bounds[i] as number, bounds[i + 1] as number);
    if (chunks.pushHex(request, fields.hashStart, fields.hashEnd, fields.size)) continue;
    throw new StillageError("invalid", `chunk ${i / 2} is no digest of ${blob.function.name}, as the blob's is`);
  }
  return { instance, blob, chunks, chunkingFunction };
}

/** Encodes a SplitBlobResponse. */
export function encodeSplit(chunks: DigestList, chunkingFunction: number): Uint8Array {
  const { hexLength } = chunks.function;
  const hashBytes = 1 + varintLength(hexLength) + hexLength;
  const lengthOf = (i: number): number => hashBytes + 1 + varintLength(chunks.sizes[i] as number);
  let length = 1 + varintLength(chunkingFunction);
  for (let i = 0; i < chunks.length; i++) length += 1 + varintLength(lengthOf(i)) + lengthOf(i);
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < chunks.length; i++) {
    const { hash, size } = chunks.at(i);
    out[at++] = answerChunkTag;
    at = writeVarint(out, at, lengthOf(i));
    out[at++] = hashTag;
    at = writeVarint(out, at, hexLength);
    at += out.write(hash, at, "latin1");
    out[at++] = sizeTag;
    at = writeVarint(out, at, size);
  }
  out[at++] = answerChunkingTag;
  writeVarint(out, at, chunkingFunction);
  return out;
}
