import type { Digest } from "../../base/digest.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";
import type { AskedDigests } from "./asked-digests.ts";
import { type BlobStatus, okStatus, readStatus } from "./message-parts.ts";

const responseTag = tagOf(1, wireBytes);
const digestTag = tagOf(1, wireBytes);
const dataTag = tagOf(2, wireBytes);
const statusTag = tagOf(3, wireBytes);
const compressorTag = tagOf(4, wireVarint);
const none: Uint8Array = new Uint8Array(0);

/** One blob of a BatchReadBlobsResponse. */
export interface ReadEntry {
  readonly digest: Digest;
  /** A view of the response. */
  readonly data: Uint8Array;
  readonly status: BlobStatus;
}

/** Steps through a BatchReadBlobsResponse. Of what was not asked for, and of what is compressed, nothing is given. Errors: `invalid` where it is broken. */
export function* decodeBatchRead(response: Uint8Array, asked: AskedDigests): Generator<ReadEntry> {
  const reader = new ProtobufReader(response);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag !== responseTag) continue;
    const entry = readEntry(response, reader.start, reader.end, asked);
    if (entry !== undefined) yield entry;
  }
}

function readEntry(bytes: Uint8Array, start: number, end: number, asked: AskedDigests): ReadEntry | undefined {
  const reader = new ProtobufReader(bytes, start, end);
  let digest: Digest | undefined;
  let data = none;
  let status = okStatus;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === digestTag) digest = asked.read(bytes, reader.start, reader.end);
    else if (tag === dataTag) data = reader.view();
    else if (tag === statusTag) status = readStatus(bytes, reader.start, reader.end);
    else if (tag === compressorTag && reader.value !== 0) return undefined;
  }
  return digest && { digest, data, status };
}
