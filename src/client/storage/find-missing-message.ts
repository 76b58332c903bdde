import type { Digest } from "../../base/digest.ts";
import { ProtobufReader, tagOf, wireBytes } from "../../base/protobuf.ts";
import type { AskedDigests } from "./asked-digests.ts";
import { brokenAnswer } from "./message-parts.ts";

const digestTag = tagOf(2, wireBytes);

/** The digests of a FindMissingBlobsResponse. Errors: `unavailable` where it is broken, or names one that was not asked about: then another may be what it hides. */
export function decodeMissing(response: Uint8Array, asked: AskedDigests): Set<Digest> {
  const missing = new Set<Digest>();
  const reader = new ProtobufReader(response);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag !== digestTag) continue;
    const digest = asked.read(response, reader.start, reader.end);
    if (digest === undefined) throw brokenAnswer("it names a blob that was not asked about");
    missing.add(digest);
  }
  return missing;
}
