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
