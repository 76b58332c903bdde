import { readdir, rm } from "node:fs/promises";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { branchesOf, historyOf } from "./history.ts";
import { listPrepared, readPrepared } from "./prepared-files.ts";
import type { ReleaseRecord } from "./release-record.ts";
import type { ReleaseLayout } from "./release-repository.ts";
import type { Keep } from "./repository-settings.ts";

/** What a rule leaves of a repository, and what not. */
export interface Retention {
  readonly kept: readonly ReleaseRecord[];
  readonly removed: readonly ReleaseRecord[];
}

/**
 * What a rule leaves: of each branch the newest releases, one at least. Releases are dated by their commits. What another branch still
 * has is kept with it.
 */
export async function retentionOf(archive: ArchiveRepository, rule: Keep, now: number): Promise<Retention> {
  const kept: ReleaseRecord[] = [];
  const older: ReleaseRecord[] = [];
  for (const branch of await branchesOf(archive)) {
    let count = 0;
    let over = false;
    for await (const record of historyOf(archive, branch)) {
      // What follows an older one goes too, or the history would have a hole.
      over ||= count > 0 && !mayStay(record, count, rule, now);
      (over ? older : kept).push(record);
      count += 1;
    }
  }
  const commits = new Set(kept.map(({ commit }) => commit));
  return { kept, removed: older.filter(({ commit }) => !commits.has(commit)) };
}

function mayStay({ timestamp }: ReleaseRecord, before: number, rule: Keep, now: number): boolean {
  if (rule.kind === "all") return true;
  return rule.kind === "last" ? before < rule.count : now - timestamp * 1000 < rule.ms;
}

/** All commits whose objects have to stay: those that are kept, and those that are prepared. */
export async function neededCommits(layout: ReleaseLayout, kept: readonly ReleaseRecord[]): Promise<Set<string>> {
  const commits = new Set(kept.map(({ commit }) => commit));
  for (const id of await listPrepared(layout)) {
    for (const { commit } of (await readPrepared(layout, id)).commits) commits.add(commit);
  }
  return commits;
}

/** Removes what lies beside releases that are gone. */
export async function removeBeside(layout: ReleaseLayout, commits: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(layout.releases).catch(() => [])) {
    if (!commits.has(name)) await rm(layout.release(name), { recursive: true, force: true });
  }
}
