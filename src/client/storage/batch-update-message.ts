import type { Digest } from "../../base/digest.ts";
import { ProtobufReader, tagOf, varintLength, wireBytes, writeVarint } from "../../base/protobuf.ts";
import type { WholeBlob } from "../blob-place.ts";
import type { AskedDigests } from "./asked-digests.ts";
import { digestFieldLength, writeDigestField } from "./digest-message.ts";
import { type BlobStatus, okStatus, readStatus, textField } from "./message-parts.ts";

const requestTag = tagOf(2, wireBytes);
const responseTag = tagOf(1, wireBytes);
const digestTag = tagOf(1, wireBytes);
const dataTag = tagOf(2, wireBytes);
const statusTag = tagOf(2, wireBytes);

const entryLength = ({ digest, bytes }: WholeBlob): number =>
  digestFieldLength(digest) + 1 + varintLength(bytes.length) + bytes.length;

/** A BatchUpdateBlobsRequest. Small blobs are copied into it: a piece for each costs more than that. */
export function encodeBatchUpdate(instance: string, blobs: readonly WholeBlob[]): Uint8Array {
  const head = textField(1, instance);
  let length = head.length;
  for (const blob of blobs) {
    const entry = entryLength(blob);
    length += 1 + varintLength(entry) + entry;
  }
  const out = Buffer.allocUnsafe(length);
  out.set(head);
  let at = head.length;
  for (const blob of blobs) {
    out[at++] = requestTag;
    at = writeVarint(out, at, entryLength(blob));
    at = writeDigestField(out, at, digestTag, blob.digest);
    out[at++] = dataTag;
    at = writeVarint(out, at, blob.bytes.length);
    out.set(blob.bytes, at);
    at += blob.bytes.length;
  }
  return out;
}

/** What a BatchUpdateBlobsResponse says of each blob that was sent. Errors: `invalid` where it is broken. */
export function decodeBatchUpdate(response: Uint8Array, asked: AskedDigests): Map<Digest, BlobStatus> {
  const statuses = new Map<Digest, BlobStatus>();
  const reader = new ProtobufReader(response);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag !== responseTag) continue;
    const entry = new ProtobufReader(response, reader.start, reader.end);
    let digest: Digest | undefined;
    let status = okStatus;
    for (let inner = entry.field(); inner !== 0; inner = entry.field()) {
      if (inner === digestTag) digest = asked.read(response, entry.start, entry.end);
      else if (inner === statusTag) status = readStatus(response, entry.start, entry.end);
    }
    if (digest !== undefined) statuses.set(digest, status);
  }
  return statuses;
}
