import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { directorySource } from "../ostree/archive/directory-source.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";
import { httpSource } from "../ostree/archive/http-source.ts";
import { mirrorRepository } from "../ostree/archive/mirror-repository.ts";
import type { ObjectSource } from "../ostree/archive/object-source.ts";
import type { PullProgress } from "../ostree/archive/pull.ts";
import { gather } from "../ostree/archive/put-foreign.ts";
import { maxAttachmentBytes } from "./attachment.ts";
import { allReleases } from "./history.ts";
import { type BesideFile, readMirrorList } from "./mirror-list.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { replaceFile } from "./replace-file.ts";

/** The list of ten thousand releases has some twenty megabytes. */
const maxListBytes = 256 << 20;
const maxKeyBytes = 1 << 20;

export interface MirrorOptions {
  /** Also remove branches that the source has not any more. */
  readonly remove: boolean;
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
 * Makes a repository have the releases of another, as its public directory has them: objects, each verified, branches and summary, then manifests,
 * attachments and provenance, each as its SHA-256 in the list says, then the page. What was broken off goes on with the next call; no branch leads to
 * less than all of its release at any time. Errors: `not-found` where there is no such repository, `invalid` for files that are not what the list says.
 */
export async function mirrorReleases(
  writer: ReleaseWriter,
  source: ObjectSource,
  { remove, onProgress }: MirrorOptions,
): Promise<Mirrored> {
  const { archive, repository, options } = writer;
  const { signal } = options;
  const { keys, files } = await listIn(source);
  await writer.mark();
  const progress = onProgress === undefined ? {} : { onProgress };
  const shared = signal === undefined ? {} : { signal };
  const { changedRefs, pulled } = await mirrorRepository(archive, below(source, "repo"), {
    remove,
    ...shared,
    ...progress,
  });
  const { layout } = repository;
  for (const path of keys) await takeKey(source, layout.public, path);
  const there = new Set<string>();
  for await (const { commit } of allReleases(archive)) there.add(commit);
  let taken = 0;
  for (const [commit, beside] of files) {
    signal?.throwIfAborted();
    if (there.has(commit) && (await takeBeside(writer, source, commit, beside))) taken += beside.length;
  }
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

/** A key that is here under that name stays: whoever trusts it does not want another in its place. */
async function takeKey(source: ObjectSource, folder: string, path: string): Promise<void> {
  const target = join(folder, path);
  if (existsSync(target)) return;
  const bytes = await read(source, path, maxKeyBytes);
  if (bytes !== undefined) await replaceFile(target, bytes);
}

/** Takes what lies beside a release, all of it at once. False where that is here already. */
async function takeBeside(
  { repository }: ReleaseWriter,
  source: ObjectSource,
  commit: string,
  files: readonly BesideFile[],
): Promise<boolean> {
  const { layout } = repository;
  const target = layout.release(commit);
  const known = await Promise.all(
    files.map(async ({ name, sha256 }) => (await hashOfFile(join(target, name))) === sha256),
  );
  if (known.every((same) => same)) return false;
  const staged = join(layout.prepared, `.mirror-${commit}`);
  await rm(staged, { recursive: true, force: true });
  await mkdir(staged, { recursive: true });
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
  await syncDirectory(staged);
  await rm(target, { recursive: true, force: true });
  await rename(staged, target);
  await syncDirectory(layout.releases);
  return true;
}

async function hashOfFile(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && createHash("sha256").update(bytes).digest("hex");
}
