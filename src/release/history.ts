import { StillageError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { type ReleaseRecord, readRecord } from "./release-record.ts";

/** Releases of one branch that are looked at: more than any has. */
const maxHistory = 100_000;

/** The digits of a commit that are enough where no other begins so. */
const minDigits = 6;

/** The releases of a branch, the newest first, as far back as the repository has them. */
export async function* historyOf(archive: ArchiveRepository, branch: string): AsyncGenerator<ReleaseRecord, void> {
  let next = await archive.ref(branch);
  const seen = new Set<string>();
  while (next !== undefined && !seen.has(next) && seen.size < maxHistory) {
    seen.add(next);
    const bytes = await archive.readMetadata(next, "commit");
    if (bytes === undefined) return; // removed by `release prune`, or never mirrored
    const record = readRecord(branch, next, bytes);
    yield record;
    next = record.parent;
  }
}

/** The newest release of a branch; `undefined` where there is none. */
export async function headOf(archive: ArchiveRepository, branch: string): Promise<ReleaseRecord | undefined> {
  for await (const record of historyOf(archive, branch)) return record;
  return undefined;
}

/** The releases of all branches, or those that `wanted` takes: branch by branch in order, each the newest first. */
export async function* allReleases(
  archive: ArchiveRepository,
  wanted: (branch: string) => boolean = () => true,
): AsyncGenerator<ReleaseRecord, void> {
  for (const branch of await branchesOf(archive)) if (wanted(branch)) yield* historyOf(archive, branch);
}

export async function branchesOf(archive: ArchiveRepository): Promise<string[]> {
  return [...(await archive.refs()).keys()].sort();
}

/**
 * The release that somebody means: a branch for its newest, a commit or the beginning of one, a version, or `BRANCH@VERSION`. Errors: `not-found` where there is
 * none, or several: those that are near are named.
 */
export async function releaseMeant(
  archive: ArchiveRepository,
  text: string,
  branch?: string | undefined,
): Promise<ReleaseRecord> {
  const branches = await branchesOf(archive);
  if (branch !== undefined && !branches.includes(branch)) throw noBranch(branch, branches);
  if (branch === undefined && branches.includes(text)) {
    const head = await headOf(archive, text);
    if (head !== undefined) return head;
  }
  const at = branch === undefined ? text.lastIndexOf("@") : -1;
  const inside = at > 0 && branches.includes(text.slice(0, at)) ? text.slice(0, at) : branch;
  const wanted = inside !== branch ? text.slice(at + 1) : text;
  const found = await candidates(archive, wanted, inside);
  const [first, ...others] = found;
  if (first === undefined) throw noRelease(text, branches, branch);
  if (others.some(({ commit }) => commit !== first.commit)) {
    const shown = found.slice(0, 10).map((each) => `${each.branch} ${each.commit.slice(0, 12)}`);
    throw new StillageError("not-found", `more than one release is meant by ${JSON.stringify(text)}`, {
      hint: `name its commit, or BRANCH@VERSION: ${shown.join(", ")}`,
    });
  }
  return first;
}

/** Releases with this version or beginning of a commit; of several with one version on a branch the newest alone. */
async function candidates(
  archive: ArchiveRepository,
  wanted: string,
  branch: string | undefined,
): Promise<ReleaseRecord[]> {
  const digits = new RegExp(`^[0-9a-f]{${minDigits},64}$`).test(wanted);
  const byVersion = new Map<string, ReleaseRecord>();
  const byCommit: ReleaseRecord[] = [];
  for await (const record of allReleases(archive, (each) => branch === undefined || each === branch)) {
    if (record.version === wanted && !byVersion.has(record.branch)) byVersion.set(record.branch, record);
    if (digits && record.commit.startsWith(wanted)) byCommit.push(record);
  }
  return byCommit.length > 0 ? byCommit : [...byVersion.values()];
}

function noRelease(text: string, branches: readonly string[], branch: string | undefined): StillageError {
  const near = branch === undefined ? nearest(text, branches) : undefined;
  const where = branch === undefined ? "in this repository" : `on the branch ${branch}`;
  return new StillageError("not-found", `there is no release ${JSON.stringify(text.slice(0, 200))} ${where}`, {
    hint: near === undefined ? "`stillage release list` shows what there is" : `did you mean ${near}?`,
  });
}

export function noBranch(branch: string, branches: readonly string[]): StillageError {
  const near = nearest(branch, branches);
  const there = branches.length === 0 ? "there is none yet" : `there is ${branches.slice(0, 10).join(", ")}`;
  return new StillageError(
    "not-found",
    `there is no branch ${JSON.stringify(branch.slice(0, 200))} in this repository`,
    {
      hint: near === undefined ? there : `did you mean ${near}?`,
    },
  );
}
