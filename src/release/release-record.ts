import type { Dictionary } from "../base/gvariant/value.ts";
import { type Commit, contentChecksum, decodeCommit } from "../ostree/commit.ts";
import { metadataKeys } from "./prepared.ts";

/** Keys of commit metadata that OSTree itself knows. */
export const ostreeKeys = {
  version: "version",
  refBinding: "ostree.ref-binding",
  title: "ostree.source-title",
  endOfLife: "ostree.endoflife",
  endOfLifeRebase: "ostree.endoflife-rebase",
} as const;

/** A release as its commit tells of it. What it does not say is `undefined`. */
export interface ReleaseRecord {
  /** The branch in whose history it stands. */
  readonly branch: string;
  readonly commit: string;
  readonly parent: string | undefined;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly subject: string;
  readonly body: string;
  readonly version: string | undefined;
  readonly title: string | undefined;
  readonly contentChecksum: string;
  /** SHA-256 of its manifest. */
  readonly manifest: string | undefined;
  /** `PROJECT/ELEMENT`. */
  readonly artifact: string | undefined;
  readonly artifactKey: string | undefined;
  /** The commit whose tree it brought back. */
  readonly rollbackOf: string | undefined;
  /** Why nothing follows. */
  readonly endOfLife: string | undefined;
  /** The branch to go on with. */
  readonly endOfLifeRebase: string | undefined;
}

/** The text under a key; `undefined` where there is none, or what is there is no text. */
export function textIn(metadata: Dictionary, key: string): string | undefined {
  const variant = metadata.find(([name]) => name === key)?.[1];
  return variant?.type === "s" ? (variant.value as string) : undefined;
}

export function recordOf(branch: string, checksum: string, commit: Commit): ReleaseRecord {
  const { metadata, parent, timestamp, subject, body } = commit;
  const text = (key: string): string | undefined => textIn(metadata, key);
  return {
    ...{ branch, commit: checksum, parent, timestamp, subject, body },
    version: text(ostreeKeys.version),
    title: text(ostreeKeys.title),
    contentChecksum: contentChecksum(commit),
    manifest: text(metadataKeys.manifest),
    artifact: text(metadataKeys.artifact),
    artifactKey: text(metadataKeys.artifactKey),
    rollbackOf: text(metadataKeys.rollbackOf),
    endOfLife: text(ostreeKeys.endOfLife),
    endOfLifeRebase: text(ostreeKeys.endOfLifeRebase),
  };
}

/** The last second that a Date can be. */
const maxSeconds = 8_640_000_000_000;

/** A commit's time, which may be any number: RFC 3339, in UTC. */
export function timeText({ timestamp }: Pick<ReleaseRecord, "timestamp">): string {
  return new Date(Math.min(timestamp, maxSeconds) * 1000).toISOString();
}

/** Errors: `invalid` for what is no commit. */
export function readRecord(branch: string, checksum: string, bytes: Uint8Array): ReleaseRecord {
  return recordOf(branch, checksum, decodeCommit(bytes));
}
