import type { Digest } from "../../base/digest.ts";
import { tagOf, wireBytes } from "../../base/protobuf.ts";
import { digestFieldLength, writeDigestField } from "./digest-message.ts";
import { textField } from "./message-parts.ts";

const digestTag = tagOf(2, wireBytes);

/**
 * What a FindMissingBlobsRequest and a BatchReadBlobsRequest that accepts no compressor both are: instance_name = 1, digests = 2. SHA-256 need not be named: it is told by the
 * hashes' length.
 */
export function encodeDigestQuestion(instance: string, digests: readonly Digest[]): Uint8Array {
  const head = textField(1, instance);
  let length = head.length;
  for (const digest of digests) length += digestFieldLength(digest);
  const out = Buffer.allocUnsafe(length);
  out.set(head);
  let at = head.length;
  for (const digest of digests) at = writeDigestField(out, at, digestTag, digest);
  return out;
}
