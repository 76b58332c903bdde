import type { Digest } from "../../base/digest.ts";
import { type DigestFunction, functionOfHexLength, sha256 } from "../../base/digest-function.ts";
import { DigestList, digestOfHex } from "../../base/digest-list.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";
import { isEntry } from "../../store/batch-entry.ts";
import type { BlobBatch } from "../../store/blob-store.ts";
import { identityCompressor } from "../zstd.ts";
import { noteEntry } from "./batch-bounds.ts";
import { DigestFields, namedFunction } from "./digest-fields.ts";

const instanceTag = tagOf(1, wireBytes);
const requestTag = tagOf(2, wireBytes);
const functionTag = tagOf(5, wireVarint);
const digestTag = tagOf(1, wireBytes);
const dataTag = tagOf(2, wireBytes);
const compressorTag = tagOf(3, wireVarint);

/** An entry of a BatchUpdateBlobsRequest that cannot be stored as it lies. */
export interface UpdateEntry {
  /** Among all entries. */
  readonly position: number;
  /** What its Digest message says; `undefined` where that names no blob of the function asked for: one bad digest does not fail the others. */
  readonly digest: Digest | undefined;
  /** A view of the request. */
  readonly data: Uint8Array;
  /** Compressor.Value. */
  readonly compressor: number;
}

export interface BatchUpdate {
  readonly instance: string;
  /** Where in the request the Digest message of each entry begins and ends: the answer has it as it came. */
  readonly named: readonly number[];
  /** The entries whose bytes are plain, and not too many: they lie in the request. */
  readonly batch: BlobBatch;
  /** The positions of those among all entries. */
  readonly positions: readonly number[];
  readonly others: readonly UpdateEntry[];
  /** The sum of the uncompressed bytes: what a digest states where the data is compressed, and what came where it is not. */
  readonly bytes: number;
}

/**
 * Decodes a BatchUpdateBlobsRequest without objects for its entries, but for those that are compressed, of more than `largest` bytes, or of another function than
 * the first one; the data stays where it lies. Errors: `invalid`.
 */
export function decodeBatchUpdate(request: Uint8Array, largest: number = Number.POSITIVE_INFINITY): BatchUpdate {
  const reader = new ProtobufReader(request);
  const bounds: number[] = [];
  let instance = "";
  let value = 0;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === requestTag) noteEntry(bounds, reader);
    else if (tag === instanceTag) instance = reader.text();
    else if (tag === functionTag) value = reader.value;
  }
  // The function stands behind the entries on the wire.
  const decoder = new EntryDecoder(request, namedFunction(value), bounds.length / 2, largest);
  for (let i = 0; i < bounds.length; i += 2) decoder.take(bounds[i] as number, bounds[i + 1] as number);
  return { instance, ...decoder.end() };
}

/** Takes the entries of one request, in their order. */
class EntryDecoder {
  private readonly request: Uint8Array;
  private readonly function: DigestFunction | undefined;
  private readonly count: number;
  private readonly largest: number;
  private readonly fields = new DigestFields();
  private readonly named: number[] = [];
  private digests: DigestList | undefined;
  private readonly starts: number[] = [];
  private readonly lengths: number[] = [];
  private readonly framed: boolean[] = [];
  private readonly positions: number[] = [];
  private readonly others: UpdateEntry[] = [];
  private bytes = 0;

  constructor(request: Uint8Array, fn: DigestFunction | undefined, count: number, largest: number) {
    this.request = request;
    this.function = fn;
    this.count = count;
    this.largest = largest;
  }

  take(start: number, end: number): void {
    const { request, fields } = this;
    const reader = new ProtobufReader(request, start, end);
    let digestStart = start;
    let digestEnd = start;
    let dataStart = start;
    let dataEnd = start;
    let compressor = identityCompressor;
    fields.clear();
    for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
      if (tag === digestTag) {
        digestStart = reader.start;
        digestEnd = reader.end;
        fields.read(request, digestStart, digestEnd);
      } else if (tag === dataTag) {
        dataStart = reader.start;
        dataEnd = reader.end;
      } else if (tag === compressorTag) compressor = reader.value;
    }
    const position = this.named.length / 2;
    this.named.push(digestStart, digestEnd);
    const { hashStart, hashEnd, size } = fields;
    const length = dataEnd - dataStart;
    const plain = compressor === identityCompressor;
    const fn = this.functionOf(fields.hexLength);
    if (
      plain &&
      fn !== undefined &&
      size <= this.largest &&
      this.listOf(fn)?.pushHex(request, hashStart, hashEnd, size)
    ) {
      this.positions.push(position);
      this.starts.push(dataStart);
      this.lengths.push(length);
      const places = { start, end, digestStart, hashStart, dataEnd };
      this.framed.push(length === size && isEntry(fn, size, request, requestTag, places));
      this.bytes += length;
      return;
    }
    const digest = fn && digestOfHex(fn, request, hashStart, hashEnd, size);
    this.others.push({ position, digest, data: request.subarray(dataStart, dataEnd), compressor });
    this.bytes += plain || digest === undefined ? length : digest.size;
  }

  end(): Omit<BatchUpdate, "instance"> {
    const { request, named, starts, lengths, framed, positions, others, bytes } = this;
    const digests = this.digests ?? new DigestList(this.function ?? sha256, 0);
    return { named, batch: { digests, bytes: request, starts, lengths, framed }, positions, others, bytes };
  }

  private functionOf(hexLength: number): DigestFunction | undefined {
    if (this.function !== undefined) return this.function;
    const before = this.digests?.function; // told by its length, too
    return before?.hexLength === hexLength ? before : functionOfHexLength(hexLength);
  }

  /** The list, where it is one of this function. */
  private listOf(fn: DigestFunction): DigestList | undefined {
    this.digests ??= new DigestList(fn, this.count);
    return this.digests.function === fn ? this.digests : undefined;
  }
}
