import type { Digest } from "../../base/digest.ts";
import { tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../../base/protobuf.ts";

// build.bazel.remote.execution.v2.Digest, by hand: thousands of them are in a message.

const hashTag = tagOf(1, wireBytes);
const sizeTag = tagOf(2, wireVarint);

/** The bytes of a Digest message, without a tag and a length before it. */
export function digestLength({ hash, size }: Digest): number {
  return 1 + varintLength(hash.length) + hash.length + (size === 0 ? 0 : 1 + varintLength(size));
}

/** The bytes of a Digest as a field whose number is below 16. */
export function digestFieldLength(digest: Digest): number {
  const length = digestLength(digest);
  return 1 + varintLength(length) + length;
}

/** Writes a Digest as a field and returns the position after it. */
export function writeDigestField(into: Buffer, start: number, tag: number, digest: Digest): number {
  const { hash, size } = digest;
  let at = start;
  into[at++] = tag;
  at = writeVarint(into, at, digestLength(digest));
  into[at++] = hashTag;
  at = writeVarint(into, at, hash.length);
  at += into.write(hash, at, "latin1");
  if (size === 0) return at;
  into[at++] = sizeTag;
  return writeVarint(into, at, size);
}
