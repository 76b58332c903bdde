import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StillageError } from "../base/errors.ts";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { type Commit, decodeCommit } from "../ostree/commit.ts";
import { objectPath } from "../ostree/object-name.ts";
import { decodeSummary } from "../ostree/summary.ts";
import { releaseMeant } from "./history.ts";
import { type PublicKey, readKeyDirectory } from "./public-keys.ts";
import { recordOf } from "./release-record.ts";
import { settingsFile } from "./release-repository.ts";
import { Verifier } from "./verifier.ts";
import { type PageLayout, verifyPage } from "./verify-page.ts";
import { verifyRelease } from "./verify-release.ts";
import { Findings, type KeySource, type ReleaseFindings, type VerifyReport } from "./verify-report.ts";
import { verifySummary } from "./verify-summary.ts";
import { TreeVerifier } from "./verify-tree.ts";

export interface VerifyOptions {
  /** A release repository's directory, its `public`, or a copy of that. */
  readonly directory: string;
  /** The keys to verify with; `undefined` for those that the repository has itself. */
  readonly keys: readonly PublicKey[] | undefined;
  /** A release as `releaseMeant` takes it; `undefined` for the newest of each branch. */
  readonly release: string | undefined;
  /** All releases that are there. */
  readonly all: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
}

/** Releases of a branch that are looked at, as when they are listed. */
const maxHistory = 100_000;

/**
 * Verifies releases with nothing but what is in a directory, and keys. Nothing is written. Errors: `not-found` where there is no repository, or no such release; everything
 * else that is wrong is a finding.
 */
export async function verifyRepository(options: VerifyOptions): Promise<VerifyReport> {
  const layout = publicLayout(options.directory);
  const findings = new Findings();
  const keys = options.keys ?? (await ownKeys(layout, findings));
  const keySource: KeySource = options.keys !== undefined ? "given" : keys.length > 0 ? "repository" : "none";
  await using verifier = await Verifier.open(keys);
  const report = {
    directory: layout.public,
    keySource,
    keys: keys.map(({ kind, name, id }) => ({ kind, name, id })),
    findings: findings.list,
  };
  const archive = await openArchive(layout, findings);
  if (archive === undefined) return { ...report, releases: [] };
  await verifySummary(archive, verifier, keySource, options.now, findings);
  const releases: ReleaseFindings[] = [];
  const trees = new TreeVerifier(archive, options.signal);
  for (const { branch, checksum, commit } of await wanted(archive, options, findings)) {
    const record = recordOf(branch, checksum, commit);
    const found = await verifyRelease({ layout, archive, verifier, keySource, trees }, record, commit);
    releases.push({ branch, version: record.version, commit: checksum, findings: found.list });
  }
  if (existsSync(layout.list) || existsSync(layout.keys)) await verifyPage(layout, archive, options.keys, findings);
  else
    findings.unchecked(
      "releases.json",
      "this is an OSTree repository alone: there is no page, and nothing beside releases",
    );
  return { ...report, releases };
}

/** Where the parts of a copy are. Errors: `not-found`. */
function publicLayout(given: string): PageLayout & { readonly archive: string } {
  const directory = resolve(given);
  const found = [
    ...(existsSync(join(directory, settingsFile)) ? [join(directory, "public")] : []),
    directory,
    ...(basename(directory) === "repo" ? [dirname(directory)] : []),
  ].find((each) => existsSync(join(each, "repo", "objects")));
  const bare = found === undefined && existsSync(join(directory, "objects"));
  if (found === undefined && !bare) {
    throw new StillageError("not-found", `there is no release repository in ${directory}`, {
      hint: "name the directory of one, its directory `public`, or a copy of that",
    });
  }
  const top = found ?? directory;
  return {
    public: top,
    archive: found === undefined ? directory : join(top, "repo"),
    list: join(top, "releases.json"),
    page: join(top, "index.html"),
    keys: join(top, "keys"),
    releases: join(top, "releases"),
    release: (commit) => join(top, "releases", commit),
  };
}

async function ownKeys(layout: PageLayout, findings: Findings): Promise<readonly PublicKey[]> {
  try {
    const keys = await readKeyDirectory(layout.keys);
    const says = "the keys are those that lie here: whether they are its owner's, only another place can tell";
    if (keys.length > 0) findings.unchecked("keys", says);
    return keys;
  } catch (error) {
    findings.failed("keys", (error as Error).message);
    return [];
  }
}

async function openArchive(
  { archive }: { readonly archive: string },
  findings: Findings,
): Promise<ArchiveRepository | undefined> {
  try {
    const opened = await ArchiveRepository.open(archive);
    findings.ok("repo/config", "a repository of OSTree, mode archive");
    return opened;
  } catch (error) {
    findings.failed("repo/config", (error as Error).message);
    return undefined;
  }
}

interface Found {
  readonly branch: string;
  readonly checksum: string;
  readonly commit: Commit;
}

/** The releases that are to be verified, as far as their commits can be read; those that cannot are findings. */
async function wanted(
  archive: ArchiveRepository,
  options: VerifyOptions,
  findings: Findings,
): Promise<readonly Found[]> {
  const { release, all } = options;
  if (release !== undefined) {
    const { branch, commit: checksum } = await releaseMeant(archive, release);
    const commit = await readCommit(archive, branch, checksum, findings);
    return commit === undefined ? [] : [{ branch, checksum, commit }];
  }
  const found: Found[] = [];
  for (const [branch, head] of await heads(archive)) {
    const seen = new Set<string>();
    for (let next: string | undefined = head; next !== undefined && !seen.has(next) && seen.size < maxHistory; ) {
      if (seen.size > 0 && !archive.has(next, "commit")) {
        findings.unchecked(branch, `its releases before ${[...seen].at(-1)} are not here`);
        break;
      }
      seen.add(next);
      const commit = await readCommit(archive, branch, next, findings);
      if (commit !== undefined) found.push({ branch, checksum: next, commit });
      next = all ? commit?.parent : undefined;
    }
  }
  return found;
}

/** Where the branches are; where that cannot be read, what the summary says. */
async function heads(archive: ArchiveRepository): Promise<readonly (readonly [string, string])[]> {
  try {
    return [...(await archive.refs())].map(([name, { commit }]) => [name, commit] as const);
  } catch {
    const summary = await archive.summary().catch(() => undefined);
    if (summary === undefined) return [];
    try {
      return decodeSummary(summary.bytes).refs.map(({ name, commit }) => [name, commit] as const);
    } catch {
      return []; // said already, where the summary was verified
    }
  }
}

async function readCommit(
  archive: ArchiveRepository,
  branch: string,
  checksum: string,
  findings: Findings,
): Promise<Commit | undefined> {
  const about = `repo/${objectPath(checksum, "commit")}`;
  try {
    const bytes = await archive.readMetadata(checksum, "commit");
    if (bytes !== undefined) return decodeCommit(bytes);
    findings.failed(about, `it is not there, and ${branch} needs it`);
  } catch (error) {
    findings.failed(about, (error as Error).message);
  }
  return undefined;
}
