import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import type { Attachment } from "./attachment.ts";
import { readManifest } from "./beside-files.ts";
import { changedMetadata } from "./commit-metadata.ts";
import { commitOf } from "./compose.ts";
import { branchesOf, headOf, noBranch, releaseMeant } from "./history.ts";
import type { Manifest } from "./manifest.ts";
import { metadataKeys, type PreparedRelease } from "./prepared.ts";
import { writePrepared } from "./prepared-files.ts";
import { ostreeKeys, type ReleaseRecord } from "./release-record.ts";
import type { ReleaseLayout } from "./release-repository.ts";
import type { ReleaseWriter } from "./release-writer.ts";

/** A commit of a tree that the repository has, on top of a branch. */
export interface Derivation {
  readonly branch: string;
  /** Whose tree, manifest and attachments it has. */
  readonly from: ReleaseRecord;
  /** What the metadata of that one become. */
  readonly changes: Readonly<Record<string, string | undefined>>;
  /** The newest commit of the branch. */
  readonly parent: string;
  readonly subject: string;
  readonly body: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

export interface Words {
  readonly subject: string | undefined;
  readonly body: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/**
 * The derivation that brings back an older release: the one meant by `to`, or the one before what the branch has now. Errors: `not-found` where there is none,
 * `exists` where the branch has that already.
 */
export async function rollbackOf(
  { archive }: Pick<ReleaseWriter, "archive">,
  branch: string,
  to: string | undefined,
  words: Words,
): Promise<Derivation> {
  const head = await headOf(archive, branch);
  if (head === undefined) throw noBranch(branch, await branchesOf(archive));
  const from = to === undefined ? await releaseBefore(archive, head) : await releaseMeant(archive, to, branch);
  const same = from.contentChecksum === head.contentChecksum && from.manifest === head.manifest;
  if (same && head.endOfLife === undefined) {
    throw new StillageError("exists", `${branch} has the content of ${shown(from)} already`, {
      hint: "`stillage release list` shows what else there is; name one with --to",
    });
  }
  const origin = from.rollbackOf ?? from.commit;
  const gone = { [ostreeKeys.endOfLife]: undefined, [ostreeKeys.endOfLifeRebase]: undefined };
  const changes = { ...gone, [metadataKeys.rollbackOf]: origin };
  const { subject = `Roll back to ${shown(from)}`, body, timestamp } = words;
  return { branch, from, changes, parent: head.commit, subject, body, timestamp };
}

async function releaseBefore(archive: ReleaseWriter["archive"], head: ReleaseRecord): Promise<ReleaseRecord> {
  const now = head.rollbackOf ?? head.commit;
  const current = await releaseMeant(archive, now, head.branch);
  const before = current.parent === undefined ? undefined : await archive.commit(current.parent);
  if (current.parent !== undefined && before !== undefined) return releaseMeant(archive, current.parent, head.branch);
  throw new StillageError("not-found", `${head.branch} has no release before ${shown(current)}`, {
    hint: "name the one to go back to with --to",
  });
}

/** The derivation that says that nothing follows on a branch. Errors: `not-found`. */
export async function endOfLifeOf(
  { archive }: Pick<ReleaseWriter, "archive">,
  branch: string,
  { message, rebase }: { readonly message: string; readonly rebase: string | undefined },
  words: Words,
): Promise<Derivation> {
  const head = await headOf(archive, branch);
  if (head === undefined) throw noBranch(branch, await branchesOf(archive));
  if (head.endOfLife === message && head.endOfLifeRebase === rebase) {
    throw new StillageError("exists", `${branch} says so already: ${head.commit}`);
  }
  if (rebase !== undefined) await checkRebase(archive, branch, rebase);
  const changes = { [ostreeKeys.endOfLife]: message, [ostreeKeys.endOfLifeRebase]: rebase };
  const { subject = `End of life of ${branch}`, body, timestamp } = words;
  return { branch, from: head, changes, parent: head.commit, subject, body, timestamp };
}

/** Clients go where they are sent. Errors: `not-found`, `invalid` for a branch that has ended, too. */
async function checkRebase(archive: ReleaseWriter["archive"], branch: string, rebase: string): Promise<void> {
  const head = await headOf(archive, rebase);
  if (head === undefined) throw noBranch(rebase, await branchesOf(archive));
  if (rebase !== branch && head.endOfLife === undefined) return;
  throw new StillageError("invalid", `nobody can go on with ${rebase}: that branch ends, too`);
}

/** Makes the commit of a derivation, to be published as any other. */
export async function prepareDerived(
  { archive, repository, maker }: ReleaseWriter,
  derivation: Derivation,
  { keep, now }: { readonly keep: boolean; readonly now: number },
): Promise<PreparedRelease> {
  const { branch, from, changes, parent, subject, body, timestamp } = derivation;
  const old = await archive.commit(from.commit);
  if (old === undefined) throw new StillageError("not-found", `the commit ${from.commit} is not in the repository`);
  const read = await readManifest(repository.layout, from.commit, from.manifest);
  if (read === undefined && from.manifest !== undefined) {
    throw new StillageError("corrupt", `the manifest of ${shown(from)} is not here, and its commit names it`, {
      hint: `take ${repository.layout.release(from.commit)} from a mirror of the repository`,
    });
  }
  const attachments = read === undefined ? [] : await attachmentsOf(repository.layout, from.commit, read.manifest);
  const change = await archive.begin();
  try {
    const metadata = changedMetadata(old.metadata, changes, branch);
    const commit = { ...old, metadata, parent, subject, body, timestamp };
    const made = await commitOf(change, branch, commit, read?.manifest, maker);
    await change.publish({});
    const manifest = read?.manifest;
    return await writePrepared(repository.layout, { made: now, kept: keep, commits: [made], manifest, attachments });
  } catch (error) {
    await change.abort();
    throw error;
  }
}

async function attachmentsOf(layout: ReleaseLayout, commit: string, manifest: Manifest): Promise<Attachment[]> {
  const attachments: Attachment[] = [];
  for (const each of manifest.attachments) {
    const path = join(layout.release(commit), each.name);
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined || createHash("sha256").update(bytes).digest("hex") !== each.sha256) {
      throw new StillageError("corrupt", `${path} is not the attachment that the manifest names`, {
        hint: "take it from a mirror of the repository",
      });
    }
    attachments.push({ ...each, bytes });
  }
  return attachments;
}

function shown({ version, commit }: ReleaseRecord): string {
  return version ?? commit.slice(0, 12);
}
