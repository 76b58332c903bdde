import type { Digest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { encodeEntry } from "./batch-entry.ts";
import type { BlobBatch } from "./blob-store.ts";

/** A batch of these blobs, of one function, as a request has it: what makes an entry is around most of them; or, not `framed`, around none. */
export function batchOf(blobs: readonly { digest: Digest; bytes: Uint8Array }[], framed = true): BlobBatch {
  const digests = new DigestList(blobs[0]?.digest.function ?? sha256);
  for (const { digest } of blobs) digests.push(digest);
  const bare = blobs.map(({ digest, bytes }, i) => !framed || bytes.length !== digest.size || i % 5 === 4);
  const parts = blobs.map(({ bytes }, i) => (bare[i] ? bytes : encodeEntry(digests, i, bytes)));
  for (const [i, part] of parts.entries()) if (!bare[i]) part[0] = 0x12; // the tag is another one in a request
  let at = 0;
  const starts = blobs.map(({ bytes }, i) => {
    at += (parts[i] as Uint8Array).length;
    return at - bytes.length;
  });
  const lengths = blobs.map(({ bytes }) => bytes.length);
  return { digests, bytes: Buffer.concat(parts), starts, lengths, framed: bare.map((each) => !each) };
}
