import type { Digest } from "../../base/digest.ts";
import { ProtobufReader, tagOf, wireBytes } from "../../base/protobuf.ts";
import { type AskedDigests, digestFieldLength, readDigest, writeDigestField } from "./digest-message.ts";
import { brokenAnswer, textField } from "./message-parts.ts";

const digestTag = tagOf(2, wireBytes);

/** A FindMissingBlobsRequest. SHA-256 need not be named: it is told by the hashes' length. */
export function encodeFindMissing(instance: string, digests: readonly Digest[]): Uint8Array {
  const head = textField(1, instance);
  let length = head.length;
  for (const digest of digests) length += digestFieldLength(digest);
  const out = Buffer.allocUnsafe(length);
  out.set(head);
  let at = head.length;
  for (const digest of digests) at = writeDigestField(out, at, digestTag, digest);
  return out;
}

/** The digests of a FindMissingBlobsResponse. Errors: `unavailable` where it is broken, or names one that was not asked about: then another may be what it hides. */
export function decodeMissing(response: Uint8Array, asked: AskedDigests): Set<Digest> {
  const missing = new Set<Digest>();
  const reader = new ProtobufReader(response);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag !== digestTag) continue;
    const digest = readDigest(response, reader.start, reader.end, asked);
    if (digest === undefined) throw brokenAnswer("it names a blob that was not asked about");
    missing.add(digest);
  }
  return missing;
}
