import { type Dictionary, lookUp, type Variant } from "../base/gvariant/value.ts";
import { bigEndian64 } from "./big-endian.ts";

// Times in the metadata of summaries are seconds since 1970, big-endian in a little-endian dictionary.

const timestampKey = "ostree.commit.timestamp";
const versionKey = "ostree.commit.version";

/** What a summary says of a ref besides its commit: when that was made and, where it has one, its version. */
export function refMetadata(timestamp: number, version?: string): Dictionary {
  const time: [string, Variant] = [timestampKey, timeVariant(timestamp)];
  return version === undefined ? [time] : [[versionKey, { type: "s", value: version }], time];
}

export interface RepositoryMetadata {
  /** When the summary was made, in seconds since 1970. */
  readonly lastModified: number;
  /** When it is not to be believed any more, in seconds since 1970. */
  readonly expires?: number;
  /** Whether deleted commits leave tombstones. */
  readonly tombstones?: boolean;
  readonly collection?: string;
}

/**
 * What the summary of an archive repository says of that. It always has `indexed-deltas`, as those of new versions do: clients then ask for
 * one index of deltas per commit and not for each delta.
 */
export function repositoryMetadata(about: RepositoryMetadata): Dictionary {
  const { lastModified, expires, tombstones = false, collection } = about;
  const entries: [string, Variant][] = [
    ["ostree.summary.mode", { type: "s", value: "archive-z2" }],
    ["ostree.summary.last-modified", timeVariant(lastModified)],
    ["ostree.summary.tombstone-commits", { type: "b", value: tombstones }],
    ["ostree.summary.indexed-deltas", { type: "b", value: true }],
  ];
  if (collection !== undefined) entries.push(["ostree.summary.collection-id", { type: "s", value: collection }]);
  if (expires !== undefined) entries.push(["ostree.summary.expires", timeVariant(expires)]);
  return entries;
}

/** When a summary was made, in seconds since 1970, if it tells. */
export function lastModified(metadata: Dictionary): number | undefined {
  return timeOf(metadata, "ostree.summary.last-modified");
}

/** When a summary is not to be believed any more, in seconds since 1970, if it tells. */
export function expiry(metadata: Dictionary): number | undefined {
  return timeOf(metadata, "ostree.summary.expires");
}

function timeVariant(seconds: number): Variant {
  return { type: "t", value: bigEndian64(BigInt(seconds)) };
}

function timeOf(metadata: Dictionary, key: string): number | undefined {
  const value = lookUp(metadata, key, "t");
  return typeof value === "bigint" ? Number(bigEndian64(value)) : undefined;
}
