import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { summaryOf } from "../ostree/archive/write-summary.ts";
import { compareNames } from "../ostree/names.ts";
import { preAuthenticationEncoding, statementPayloadType } from "./dsse.ts";
import type { PreparedCommit } from "./prepared.ts";

/** Bytes that somebody signs. */
export interface Payload {
  readonly what: "commit" | "provenance" | "summary";
  /** The commit that it is about; `undefined` for the summary. */
  readonly commit: string | undefined;
  /** What it is called when it is given out. */
  readonly file: string;
  /** For people. */
  readonly title: string;
  readonly bytes: Uint8Array;
}

export type SignableCommit = Pick<PreparedCommit, "branch" | "commit" | "bytes" | "statement">;

/** All that is signed of a release: commits, the statements about them, and, where it is given, the list of branches. */
export function payloadsOf(commits: readonly SignableCommit[], summary: Uint8Array | undefined): readonly Payload[] {
  const payloads = commits.flatMap(({ branch, commit, bytes, statement }): Payload[] => {
    const file = commit.slice(0, 16);
    const own: Payload = { what: "commit", commit, file: `${file}.commit`, title: `the commit on ${branch}`, bytes };
    if (statement === undefined) return [own];
    const signed = preAuthenticationEncoding(statementPayloadType, statement);
    const title = `the provenance of ${branch}`;
    return [own, { what: "provenance", commit, file: `${file}.provenance`, title, bytes: signed }];
  });
  if (summary === undefined) return payloads;
  return [
    ...payloads,
    { what: "summary", commit: undefined, file: "summary", title: "the list of branches", bytes: summary },
  ];
}

/** The summary as it will be once these commits are published, at a time in seconds since 1970. Errors: `corrupt`. */
export async function futureSummary(
  archive: ArchiveRepository,
  commits: readonly Pick<PreparedCommit, "branch" | "commit">[],
  time: number,
): Promise<Uint8Array> {
  const refs = new Map([...(await archive.refs())].map(([name, { commit }]) => [name, commit]));
  for (const { branch, commit } of commits) refs.set(branch, commit);
  const sorted = new Map([...refs].sort(([a], [b]) => compareNames(a, b)));
  return summaryOf(archive, (checksum, type) => archive.readMetadata(checksum, type), sorted, [], time);
}
