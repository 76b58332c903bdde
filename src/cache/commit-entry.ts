import { type Digest, parseDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../base/protobuf.ts";
import type { SummaryRef } from "../ostree/summary-layout.ts";
import type { NamedRef } from "../store/ref-store.ts";

/** Bytes of a SHA-256. */
const checksumBytes = 32;

/** A ref of a 1.0 cache, and what it says of its commit. */
export interface CommitEntry extends SummaryRef {
  /** What is attached to the commit, an encoded `a{sv}`, is this blob; `undefined` where nothing is. */
  readonly detached: Digest | undefined;
}

/** Reads the message of a ref (`CommitRef` in proto/stillage/ostree/v1/commit_ref.proto), as views of it. Errors: `invalid`. */
export function commitEntry({ name, message }: NamedRef): CommitEntry {
  const reader = new ProtobufReader(message);
  let commit: Uint8Array | undefined;
  let detached: Uint8Array | undefined;
  let detachedSize = 0;
  let commitSize = 0;
  let timestamp = 0;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === tagOf(1, wireBytes)) commit = reader.view();
    else if (tag === tagOf(2, wireVarint)) commitSize = reader.value;
    else if (tag === tagOf(3, wireVarint)) timestamp = reader.value;
    else if (tag === tagOf(4, wireBytes) && reader.end > reader.start) detached = reader.view();
    else if (tag === tagOf(5, wireVarint)) detachedSize = reader.value;
  }
  if (commit?.length !== checksumBytes || !Number.isSafeInteger(commitSize) || !Number.isSafeInteger(timestamp)) {
    throw new StillageError("invalid", `the ref ${name} does not say what its commit is`);
  }
  return {
    name,
    commit,
    commitSize,
    timestamp,
    detached: detached && parseDigest(hexOf(detached), detachedSize, sha256),
  };
}

/** The commit in hex. */
export function checksumOf({ commit }: Pick<CommitEntry, "commit">): string {
  return hexOf(commit);
}

function hexOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("hex");
}
