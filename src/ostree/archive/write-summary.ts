import { StillageError } from "../../base/errors.ts";
import { type Dictionary, lookUp } from "../../base/gvariant/value.ts";
import { decodeCommit } from "../commit.ts";
import type { Checksum } from "../object-name.ts";
import { encodeSummary, type SummaryRef } from "../summary.ts";
import { refMetadata, repositoryMetadata } from "../summary-metadata.ts";
import type { ArchiveRepository } from "./archive-repository.ts";
import type { RepositoryChange } from "./repository-change.ts";

/**
 * The summary of a repository as it will be after a change. `metadata` follows what a summary says anyway; `time`: seconds since 1970.
 * Errors: `corrupt` where a ref leads nowhere, `exhausted` for more refs than clients can read.
 */
export async function summaryOf(
  { config }: ArchiveRepository,
  readMetadata: RepositoryChange["readMetadata"],
  refs: ReadonlyMap<string, Checksum>,
  metadata: Dictionary,
  time: number,
): Promise<Uint8Array> {
  const known = new Map<Checksum, Omit<SummaryRef, "name">>();
  const list: SummaryRef[] = [];
  for (const [name, commit] of refs) {
    const about = known.get(commit) ?? (await aboutCommit(commit, name, readMetadata));
    known.set(commit, about);
    list.push({ name, ...about });
  }
  const { tombstoneCommits: tombstones, collectionId } = config;
  const collection = collectionId === undefined ? {} : { collection: collectionId };
  const own = repositoryMetadata({ lastModified: time, tombstones, ...collection });
  return encodeSummary({ refs: list, metadata: [...own, ...metadata] });
}

async function aboutCommit(
  commit: Checksum,
  ref: string,
  readMetadata: RepositoryChange["readMetadata"],
): Promise<Omit<SummaryRef, "name">> {
  const bytes = await readMetadata(commit, "commit");
  if (bytes === undefined) {
    throw new StillageError("corrupt", `the ref ${ref} leads to the commit ${commit}, which is not there`);
  }
  const { timestamp, metadata } = decodeCommit(bytes);
  const version = lookUp(metadata, "version", "s") as string | undefined;
  return { commit, commitBytes: bytes.length, metadata: refMetadata(timestamp, version) };
}
