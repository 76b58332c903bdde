import type { Digest } from "../../base/digest.ts";
import { ProtobufReader, tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../../base/protobuf.ts";

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

/** Those that were asked about, each once, by their hashes. */
export type AskedDigests = ReadonlyMap<string, Digest>;

/** Digests by their hashes, to know them again in an answer. */
export const askedDigests = (digests: readonly Digest[]): AskedDigests =>
  new Map(digests.map((digest) => [digest.hash, digest]));

/** The digest of those asked about that a message in `bytes` from `start` to `end` is; `undefined` for another. */
export function readDigest(bytes: Uint8Array, start: number, end: number, asked: AskedDigests): Digest | undefined {
  const reader = new ProtobufReader(bytes, start, end);
  let hash = "";
  let size = 0;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === hashTag) {
      hash = Buffer.from(bytes.buffer, bytes.byteOffset + reader.start, reader.end - reader.start).toString("latin1");
    } else if (tag === sizeTag) size = reader.value;
  }
  const digest = asked.get(hash);
  return digest?.size === size ? digest : undefined;
}
