import { functionOfHexLength, sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";
import { noteEntry } from "./batch-bounds.ts";
import { DigestFields, namedFunction } from "./digest-fields.ts";

const instanceTag = tagOf(1, wireBytes);
const digestTag = tagOf(2, wireBytes);
const compressorTag = tagOf(3, wireVarint);
const compressorsTag = tagOf(3, wireBytes);
const functionTag = tagOf(4, wireVarint);

export interface BatchReadRequest {
  readonly instance: string;
  readonly digests: DigestList;
  /** The encoded Digest message of each in `digests`. */
  readonly encoded: readonly Uint8Array[];
  /** Encoded Digest messages that name no blob of the function asked for. */
  readonly malformed: readonly Uint8Array[];
  /** Values of Compressor that the client accepts; identity always is. */
  readonly compressors: ReadonlySet<number>;
}

const noCompressors: ReadonlySet<number> = new Set();

/** Decodes a BatchReadBlobsRequest. Errors: `invalid`. */
export function decodeBatchRead(request: Uint8Array): BatchReadRequest {
  const reader = new ProtobufReader(request);
  const bounds: number[] = [];
  let instance = "";
  let named = 0;
  let compressors: Set<number> | undefined;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === digestTag) noteEntry(bounds, reader);
    else if (tag === instanceTag) instance = reader.text();
    else if (tag === compressorTag) {
      compressors ??= new Set();
      if (reader.value < 128) compressors.add(reader.value); // as below: a set of millions is nobody's list
    } else if (tag === compressorsTag) {
      compressors ??= new Set();
      for (const byte of reader.view()) compressors.add(byte); // every known value takes one byte
    } else if (tag === functionTag) named = reader.value;
  }
  const fields = new DigestFields();
  let fn = namedFunction(named);
  if (fn === undefined && bounds.length > 0) {
    fields.read(request, bounds[0] as number, bounds[1] as number);
    fn = functionOfHexLength(fields.hexLength);
  }
  const digests = new DigestList(fn ?? sha256, bounds.length / 2);
  const encoded: Uint8Array[] = [];
  const malformed: Uint8Array[] = [];
  for (let i = 0; i < bounds.length; i += 2) {
    const start = bounds[i] as number;
    const end = bounds[i + 1] as number;
    fields.read(request, start, end);
    const taken = digests.pushHex(request, fields.hashStart, fields.hashEnd, fields.size);
    (taken ? encoded : malformed).push(request.subarray(start, end));
  }
  return { instance, digests, encoded, malformed, compressors: compressors ?? noCompressors };
}
