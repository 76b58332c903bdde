import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { directorySource } from "../ostree/archive/directory-source.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";
import { httpSource } from "../ostree/archive/http-source.ts";
import { type MirrorGuard, mirrorRepository } from "../ostree/archive/mirror-repository.ts";
import type { ObjectSource } from "../ostree/archive/object-source.ts";
import type { PullProgress } from "../ostree/archive/pull.ts";
import { gather } from "../ostree/archive/put-foreign.ts";
import { maxAttachmentBytes } from "./attachment.ts";
import { allReleases } from "./history.ts";
import { parseManifest } from "./manifest-file.ts";
import { type BesideFile, readMirrorList } from "./mirror-list.ts";
import { MirrorTrust, type OfferedKeys } from "./mirror-trust.ts";
import type { PublicKey } from "./public-keys.ts";
import type { ReleaseRecord } from "./release-record.ts";
import { releaseFiles } from "./release-repository.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { neededCommits, removeBeside } from "./retention.ts";
import { sameYaml } from "./verify-beside.ts";

/** The list of ten thousand releases has some twenty megabytes. */
const maxListBytes = 256 << 20;
const maxKeyBytes = 1 << 20;

export interface MirrorOptions {
  /** Also remove branches that the source has not any more. */
  readonly remove: boolean;
  /** Also move branches to what does not follow on what they are at. */
  readonly force?: boolean;
  /** The keys to verify with; `undefined` for those that the mirror has. */
  readonly keys?: readonly PublicKey[] | undefined;
  /** Also take whatever keys the source has. */
  readonly trustNewKeys?: boolean;
  readonly onProgress?: (progress: PullProgress) => void;
}

/** What came. */
export interface Mirrored {
  readonly changedBranches: number;
  readonly objects: number;
  readonly bytes: number;
  /** Files beside releases. */
  readonly files: number;
}

/** The public directory of a repository, behind a URL or on this machine. */
export function publicSource(place: string, signal: AbortSignal | undefined): ObjectSource {
  if (!/^https?:\/\//i.test(place)) return directorySource(place);
  return httpSource(place, signal === undefined ? {} : { signal });
}

/**
 * Makes a repository have the releases of another, as its public directory has them: objects, each verified, signatures as `MirrorTrust` has it, branches and summary,
 * then what lies beside releases, of which nothing is taken that its commit does not name or nobody has signed, then the page. What was broken off goes on with the next
 * call; no branch leads to less than all of its release at any time. Errors: `not-found` where there is no such repository, `invalid` for files that are not
 * what they should be, `failed-precondition` where signatures are missing or a branch would not go forward.
 */
export async function mirrorReleases(
  writer: ReleaseWriter,
  source: ObjectSource,
  { remove, force = false, keys: given, trustNewKeys = false, onProgress }: MirrorOptions,
): Promise<Mirrored> {
  const { archive, repository, options } = writer;
  const { layout } = repository;
  const { signal, signing, warn } = options;
  const { keys, files } = await listIn(source);
  const offered: OfferedKeys[] = [];
  for (const path of keys) {
    const bytes = await read(source, path, maxKeyBytes);
    if (bytes !== undefined) offered.push({ path, bytes });
  }
  await using trust = await MirrorTrust.open(offered, { directory: layout.keys, given, trustNewKeys, warn });
  const guard: MirrorGuard = {
    summary: (summary) => trust.summary(summary),
    commit: (commit) => trust.commit(commit),
    ready: async () => {
      await writer.mark();
      await trust.ready();
    },
  };
  const progress = onProgress === undefined ? {} : { onProgress };
  const shared = signal === undefined ? {} : { signal };
  const { changedRefs, pulled } = await mirrorRepository(archive, below(source, "repo"), {
    ...{ remove, keep: await neededCommits(layout, []), onlyForward: !force, guard },
    signSummary: (summary) => signing.signSummary(summary).catch(notSame),
    ...shared,
    ...progress,
  }).catch(notForward);
  const there = new Map<string, ReleaseRecord>();
  for await (const record of allReleases(archive)) there.set(record.commit, record);
  let taken = 0;
  for (const [commit, beside] of files) {
    signal?.throwIfAborted();
    const record = there.get(commit);
    if (record !== undefined && (await takeBeside(writer, source, record, beside, trust))) taken += beside.length;
  }
  if (remove) await removeBeside(layout, await neededCommits(layout, [...there.values()]));
  await writer.refreshPage();
  return { changedBranches: changedRefs, objects: pulled.objects, bytes: pulled.bytes, files: taken };
}

async function listIn(source: ObjectSource) {
  const bytes = await read(source, "releases.json", maxListBytes);
  if (bytes !== undefined) return readMirrorList(bytes);
  throw new StillageError(
    "not-found",
    "there is no releases.json: this is not the public directory of a release repository",
    {
      hint: "name what has `repo` and `releases.json` in it; of another OSTree repository, `ostree pull --mirror` makes a mirror",
    },
  );
}

function below(source: ObjectSource, folder: string): ObjectSource {
  return { get: (path, maxBytes) => source.get(`${folder}/${path}`, maxBytes) };
}

async function read(source: ObjectSource, path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const content = await source.get(path, maxBytes);
  return content && gather(content, maxBytes);
}

/** The list of branches is the source's no more, and it is for this repository to sign it. */
function notSame(error: unknown): never {
  if (!(error instanceof StillageError) || error.code !== "failed-precondition") throw error;
  throw new StillageError(
    error.code,
    "the list of branches would not be that of the source, and nobody here can sign it",
    {
      hint: "--remove takes away the branches that the source has not; or give this repository a signer of its own",
      cause: error,
    },
  );
}

function notForward(error: unknown): never {
  if (!(error instanceof StillageError) || !/does not follow on/.test(error.message)) throw error;
  throw new StillageError(error.code, error.message, {
    hint: "the source may be older than what is here, or another; --force takes over what it has",
    cause: error,
  });
}

/** Takes what lies beside a release, all of it at once. False where that is here already. */
async function takeBeside(
  { archive, repository }: ReleaseWriter,
  source: ObjectSource,
  record: ReleaseRecord,
  files: readonly BesideFile[],
  trust: MirrorTrust,
): Promise<boolean> {
  const { layout } = repository;
  const { commit } = record;
  const target = layout.release(commit);
  const known = await Promise.all(
    files.map(async ({ name, sha256 }) => (await hashOfFile(join(target, name))) === sha256),
  );
  if (known.every((same) => same)) return false;
  const staged = join(layout.prepared, `.mirror-${commit}`);
  await rm(staged, { recursive: true, force: true });
  await makeFolder(staged);
  for (const { name, path, sha256, size } of files) {
    const bytes = await read(source, path, Math.min(size, maxAttachmentBytes));
    if (bytes === undefined)
      throw new StillageError("not-found", `${path} is in the list of the source, and is not there`);
    if (bytes.length !== size || createHash("sha256").update(bytes).digest("hex") !== sha256) {
      throw new StillageError("invalid", `${path} of the source is not what its list says`, {
        hint: "try again: it may be publishing just now",
      });
    }
    await writeNewFile(join(staged, name), bytes);
  }
  const { provenance } = releaseFiles;
  if (existsSync(join(target, provenance)) && !files.some(({ name }) => name === provenance))
    await copyFile(join(target, provenance), join(staged, provenance));
  await checkBeside(archive, staged, record, files, trust);
  await syncDirectory(staged);
  await rm(target, { recursive: true, force: true });
  await rename(staged, target);
  await syncDirectory(layout.releases);
  return true;
}

/** Errors: `invalid` for what the commit does not lead to; those of `MirrorTrust.provenance`. */
async function checkBeside(
  archive: ArchiveRepository,
  staged: string,
  { commit, manifest: wanted }: ReleaseRecord,
  files: readonly BesideFile[],
  trust: MirrorTrust,
): Promise<void> {
  const given = new Map(files.map((file) => [file.name, file]));
  const wrong = (name: string, why: string): StillageError =>
    new StillageError("invalid", `releases/${commit}/${name} of the source cannot be taken: ${why}`);
  const { manifest: json, manifestYaml: yaml, provenance } = releaseFiles;
  if (given.get(json)?.sha256 !== wanted) throw wrong(json, "it is not the one that the commit names");
  const manifest = wanted === undefined ? undefined : parseManifest(await readFile(join(staged, json)));
  const named = new Map((manifest?.attachments ?? []).map(({ name, sha256 }) => [name, sha256]));
  for (const name of named.keys())
    if (!given.has(name)) throw wrong(name, "it is not in the list, and the manifest names it");
  for (const { name, sha256 } of files) {
    if (name === json) continue;
    if (name === provenance) await trust.provenance(archive, commit, await readFile(join(staged, name)));
    else if (name === yaml && manifest !== undefined) {
      if (!sameYaml(await readFile(join(staged, name)), manifest))
        throw wrong(name, `it does not say what ${json} says`);
    } else if (named.get(name) !== sha256) throw wrong(name, "nothing that is signed names it");
  }
}

async function hashOfFile(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && createHash("sha256").update(bytes).digest("hex");
}
