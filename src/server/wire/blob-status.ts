import { tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../../base/protobuf.ts";
import { grpcStatus } from "../../rpc/status.ts";

const none: Uint8Array = new Uint8Array(0);

/** A google.rpc.Status as far as a blob's answer needs it: a number and a sentence. */
export interface BlobStatus {
  readonly code: number;
  readonly message: string;
}

/** For an entry whose digest names no blob. Shared: a batch may have thousands of them, and each error would take its stack's time. */
export const noDigest: BlobStatus = {
  code: grpcStatus.invalidArgument,
  message: "no digest: a hash in lower-case hex and a size are wanted",
};

/**
 * The `responses` entries (field 1) of BatchUpdateBlobsResponse for blobs of which each is stored. `named` has the start and the end in `request` of the Digest message
 * of each.
 */
export function encodeStored(request: Uint8Array, named: readonly number[]): Uint8Array {
  let length = 0;
  for (let i = 0; i < named.length; i += 2) {
    const outer = entryOf((named[i + 1] as number) - (named[i] as number));
    length += 1 + varintLength(outer) + outer;
  }
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < named.length; i += 2) {
    const end = named[i + 1] as number;
    let from = named[i] as number;
    out[at++] = tagOf(1, wireBytes);
    at = writeVarint(out, at, entryOf(end - from));
    out[at++] = tagOf(1, wireBytes);
    at = writeVarint(out, at, end - from);
    // Digests are short: a copy of each would take longer to begin than this does.
    while (from < end) out[at++] = request[from++] as number;
  }
  return out;
}

/** The length of an entry that has nothing but a Digest message of `digest` bytes. */
function entryOf(digest: number): number {
  return 1 + varintLength(digest) + digest;
}

/**
 * One `responses` entry (field 1) of BatchUpdateBlobsResponse (status in field 2) or BatchReadBlobsResponse (field 3),
 * without data. OK is no status at all, which reads the same.
 */
export function encodeBlobStatus(digest: Uint8Array, statusField: number, status: BlobStatus | undefined): Uint8Array {
  const message = status === undefined ? none : Buffer.from(status.message);
  const inner =
    status === undefined ? 0 : 1 + varintLength(status.code) + 1 + varintLength(message.length) + message.length;
  const outer =
    1 + varintLength(digest.length) + digest.length + (status === undefined ? 0 : 1 + varintLength(inner) + inner);
  const out = Buffer.allocUnsafe(1 + varintLength(outer) + outer);
  out[0] = tagOf(1, wireBytes);
  let at = writeVarint(out, 1, outer);
  out[at++] = tagOf(1, wireBytes);
  at = writeVarint(out, at, digest.length);
  out.set(digest, at);
  at += digest.length;
  if (status === undefined) return out;
  out[at++] = tagOf(statusField, wireBytes);
  at = writeVarint(out, at, inner);
  out[at++] = tagOf(1, wireVarint);
  at = writeVarint(out, at, status.code);
  out[at++] = tagOf(2, wireBytes);
  at = writeVarint(out, at, message.length);
  out.set(message, at);
  return out;
}
