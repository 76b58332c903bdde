import { hash } from "node:crypto";
import { StillageError } from "../base/errors.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import type { Dictionary, Value } from "../base/gvariant/value.ts";
import { bigEndian64 } from "./big-endian.ts";
import { checkMetadataSize, reading } from "./metadata-limit.ts";
import { bytesOfChecksum, type Checksum, checksumOfBytes } from "./object-name.ts";

export interface Commit {
  /** In the order in which it is stored. */
  readonly metadata: Dictionary;
  readonly parent: Checksum | undefined;
  readonly subject: string;
  readonly body: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The dirtree of the root. */
  readonly tree: Checksum;
  /** The dirmeta of the root. */
  readonly treeMeta: Checksum;
}

/** Metadata, parent, related commits (there never are any), subject, body, time, dirtree, dirmeta. */
const commitType = "(a{sv}aya(say)sstayay)";

/** Errors: `invalid`. */
export function decodeCommit(bytes: Uint8Array): Commit {
  checkMetadataSize("commit", bytes);
  return reading("commit", () => {
    const value = decode(commitType, bytes) as CommitValue;
    const [metadata, parent, related, subject, body, time, tree, treeMeta] = value;
    if (related.length > 0) refuse("it has related commits");
    return {
      ...{ metadata, subject, body },
      parent: parent.length === 0 ? undefined : checksumIn(parent, "parent"),
      timestamp: secondsIn(bigEndian64(time)),
      tree: checksumIn(tree, "dirtree"),
      treeMeta: checksumIn(treeMeta, "dirmeta"),
    };
  });
}

type CommitValue = [Dictionary, Uint8Array, Value[], string, string, bigint, Uint8Array, Uint8Array];

/** Errors: `invalid`. */
export function encodeCommit(commit: Commit): Uint8Array<ArrayBuffer> {
  const { metadata, parent, subject, body, timestamp, tree, treeMeta } = commit;
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) refuse(`its time is ${timestamp}`);
  const before = parent === undefined ? new Uint8Array() : bytesOfChecksum(parent);
  const time = bigEndian64(BigInt(timestamp));
  const rest = [[], subject, body, time, bytesOfChecksum(tree), bytesOfChecksum(treeMeta)];
  const bytes = encode(commitType, [metadata, before, ...rest]);
  checkMetadataSize("commit", bytes);
  return bytes;
}

/** What names the content of a commit whatever its parent, time and message: the hash of its two root checksums. */
export function contentChecksum({ tree, treeMeta }: Pick<Commit, "tree" | "treeMeta">): Checksum {
  return hash("sha256", Buffer.concat([bytesOfChecksum(tree), bytesOfChecksum(treeMeta)]), "hex");
}

function checksumIn(bytes: Uint8Array, what: string): Checksum {
  if (bytes.length !== 32) refuse(`its ${what} is no checksum of 32 bytes`);
  return checksumOfBytes(bytes);
}

function secondsIn(time: bigint): number {
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`its time is ${time}`);
  return Number(time);
}

function refuse(why: string): never {
  throw new StillageError("invalid", why);
}
