import { pruneRepository } from "../ostree/archive/prune-repository.ts";
import type { ReleaseRecord } from "./release-record.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import type { Keep } from "./repository-settings.ts";
import { neededCommits, removeBeside, retentionOf } from "./retention.ts";

/** What went, or would go. */
export interface Pruned {
  readonly removed: readonly ReleaseRecord[];
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Removes what a rule does not leave: first the page stops naming it, then its objects go, then what lies beside it. A crash leaves some of that for the next
 * time; every branch is whole at every moment.
 */
export async function pruneReleases(
  writer: ReleaseWriter,
  rule: Keep,
  { dryRun, now }: { readonly dryRun: boolean; readonly now: number },
): Promise<Pruned> {
  const { archive, repository } = writer;
  const { kept, removed } = await retentionOf(archive, rule, now);
  const commits = await neededCommits(repository.layout, kept);
  if (!dryRun) await writer.mark();
  const report = await pruneRepository(archive, { keep: { depth: 0, commits }, dryRun });
  if (!dryRun) {
    await removeBeside(repository.layout, commits);
    await writer.refreshPage();
  }
  return { removed, objects: report.removedObjects, bytes: report.removedBytes };
}
