import type { RepositoryChange } from "../ostree/archive/repository-change.ts";
import { type Commit, decodeCommit, encodeCommit } from "../ostree/commit.ts";
import type { Checksum } from "../ostree/object-name.ts";
import type { PreparedCommit } from "../release/prepared.ts";
import { checkWords, commitHere, objections } from "./commit-here.ts";
import type { Notes } from "./notes.ts";

/** A branch that a pusher has elsewhere than we do. */
export interface PushedBranch {
  readonly branch: string;
  readonly commit: Checksum;
  /** Where it is here. */
  readonly head: Checksum | undefined;
}

/**
 * Puts our commits for branches into a change that has what the pusher's lead to. A branch for whose commit there is nothing to say is passed over, unless it is forced.
 * Errors: `exhausted` for one that says too much, `corrupt` where ours cannot be read.
 */
export async function takeOver(
  change: RepositoryChange,
  branches: readonly PushedBranch[],
  { force, notes }: { readonly force: boolean; readonly notes: Notes },
): Promise<PreparedCommit[]> {
  const made: PreparedCommit[] = [];
  for (const { branch, commit, head } of branches) {
    const pushed = await commitIn(change, commit);
    checkWords(branch, commit, pushed);
    const why = head === undefined ? [] : objections(pushed, await commitIn(change, head));
    if (why.length > 0)
      notes.warn(`${branch}: ${commit} ${force ? "is taken although" : "is not taken:"} ${why.join(", and ")}`);
    if (why.length > 0 && !force) continue;
    const ours = commitHere(pushed, branch, head, change.repository.config.collectionId);
    const bytes = encodeCommit(ours);
    const checksum = await change.putMetadata("commit", bytes);
    notes.detail(`${branch}: ${commit} becomes ${checksum}`);
    made.push({ branch, commit: checksum, bytes, parent: head, statement: undefined });
  }
  return made;
}

async function commitIn(change: RepositoryChange, checksum: Checksum): Promise<Commit> {
  const bytes = await change.readMetadata(checksum, "commit");
  if (bytes === undefined) throw new Error(`the commit ${checksum} was here a moment ago`);
  return decodeCommit(bytes);
}
