import { createHash } from "node:crypto";
import { asStillageError } from "../base/errors.ts";
import { Slices } from "../base/slices.ts";
import { layOutSummary, summaryBytesAtMost, summaryRefBytes } from "../ostree/summary-layout.ts";
import type { RefListing } from "../store/ref-store.ts";
import { type CommitEntry, checksumOf, commitEntry } from "./commit-entry.ts";
import { summaryMetadata } from "./commit-summary-metadata.ts";

/** Clients before libostree 2024 read no longer summary than this, nor do those of BuildStream 1.0. */
export const maxSummaryBytes = 10 << 20;

/** Entries after which somebody looks whether the slice is over. */
const atOnce = 64;

/** Bytes of the summary, too. */
const hashedAtOnce = 256 << 10;

/** The refs of a 1.0 cache at one moment, and the summary of just them. Never changed. */
export interface CommitSnapshot {
  /** The version of the listing. */
  readonly version: number;
  readonly summary: Uint8Array;
  /** SHA-256 of the summary. */
  readonly tag: string;
  /** All refs by the checksums of their commits, also those that are not in the summary. */
  readonly byCommit: ReadonlyMap<string, readonly CommitEntry[]>;
  readonly listed: number;
  /** Refs that are not in the summary, because it would become too long. */
  readonly leftOut: number;
  /** Refs that are not in it because something of their commits is missing. */
  readonly damaged: number;
  /** Refs that cannot be read. */
  readonly unreadable: readonly string[];
}

/**
 * Makes a snapshot, in slices. Refs whose commits `isDamaged` says yes to are left out of the summary: a client builds what is not in it, but what is in it and cannot be
 * pulled ends its build. Where it would become longer than `maxBytes`, so long that clients refuse it and find nothing at all, the refs with the oldest
 * commits are left out: whoever still wants one builds it, and pushes one that is new.
 */
export async function makeSnapshot(
  { version, refs }: RefListing,
  isDamaged: (commit: string) => boolean,
  maxBytes: number = maxSummaryBytes,
): Promise<CommitSnapshot> {
  const slices = new Slices();
  const byCommit = new Map<string, CommitEntry[]>();
  const unreadable: string[] = [];
  const whole: CommitEntry[] = [];
  let damaged = 0;
  for (const [i, ref] of refs.entries()) {
    if (i % atOnce === 0 && slices.over) await slices.rest();
    const entry = readable(ref, unreadable);
    if (entry === undefined) continue;
    const commit = checksumOf(entry);
    const others = byCommit.get(commit);
    if (others === undefined) byCommit.set(commit, [entry]);
    else others.push(entry);
    if (isDamaged(commit)) damaged++;
    else whole.push(entry);
  }
  const listed = newest(whole, maxBytes);
  const summary = await layOutSummary(listed, summaryMetadata);
  const tag = await hashOf(summary, slices);
  const counts = { listed: listed.length, leftOut: whole.length - listed.length, damaged };
  return { version, summary, tag, byCommit, unreadable, ...counts };
}

async function hashOf(bytes: Uint8Array, slices: Slices): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += hashedAtOnce) {
    if (slices.over) await slices.rest();
    hash.update(bytes.subarray(at, at + hashedAtOnce));
  }
  return hash.digest("hex");
}

function readable(ref: RefListing["refs"][number], unreadable: string[]): CommitEntry | undefined {
  try {
    return commitEntry(ref);
  } catch (error) {
    if (asStillageError(error).code !== "invalid") throw error;
    unreadable.push(ref.name);
    return undefined;
  }
}

/** As many entries as fit, those with the newest commits first; in the order in which they came. */
function newest(entries: readonly CommitEntry[], maxBytes: number): readonly CommitEntry[] {
  const bytesOf = ({ name }: CommitEntry): number => (summaryRefBytes(name) + 7) & ~7;
  const fits = (count: number, bytes: number): boolean =>
    summaryBytesAtMost(count, bytes, summaryMetadata.length) <= maxBytes;
  let bytes = 0;
  for (const entry of entries) bytes += bytesOf(entry);
  if (fits(entries.length, bytes)) return entries;
  const out = new Set<CommitEntry>();
  for (const entry of entries.toSorted((a, b) => a.timestamp - b.timestamp)) {
    if (fits(entries.length - out.size, bytes)) break;
    out.add(entry);
    bytes -= bytesOf(entry);
  }
  return entries.filter((entry) => !out.has(entry));
}
