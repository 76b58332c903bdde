import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../base/digest-function.ts";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { hashOf } from "../base/hash.ts";
import { makeFolder } from "../base/make-folder.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";
import type { Attachment } from "./attachment.ts";
import { canonicalJson, type Manifest, manifestDigest, manifestJson, manifestYaml } from "./manifest.ts";
import { parseManifest } from "./manifest-file.ts";
import type { PreparedCommit, PreparedRelease } from "./prepared.ts";
import { readRecord } from "./release-record.ts";
import { type ReleaseLayout, releaseFiles } from "./release-repository.ts";

/** What `release.json` says. */
interface PreparedFile {
  readonly id: string;
  readonly made: number;
  readonly kept: boolean;
  readonly commits: readonly { readonly branch: string; readonly commit: string; readonly parent: string | null }[];
}

const fileName = "release.json";
const folderOfAttachments = "attachments";

/** The file of a prepared release with a commit's bytes, and with the statement about it. */
export const commitFile = (commit: string): string => `${commit}.commit`;
export const statementFile = (commit: string): string => `${commit}.statement.json`;

/** What is to be written of a release. */
export interface NewPrepared {
  readonly made: number;
  /** Whether somebody is to sign it elsewhere; else it is gone as soon as it is published, or is not. */
  readonly kept: boolean;
  readonly commits: readonly PreparedCommit[];
  readonly manifest: Manifest | undefined;
  readonly attachments: readonly Attachment[];
}

/**
 * Puts a prepared release on the disk, unless it is there already to be signed: that one has signatures, which stay, and it is what this gives. It is under its name only when it is whole: a crash leaves a directory whose name begins with a dot, which
 * `dropLeftovers` removes. Errors: `exists` where the same commit is prepared together with others.
 */
export async function writePrepared(layout: ReleaseLayout, release: NewPrepared): Promise<PreparedRelease> {
  const { made, kept, commits, manifest, attachments } = release;
  const [first] = commits;
  if (first === undefined) throw new StillageError("internal", "a release without a commit");
  const id = first.commit.slice(0, 16);
  const directory = join(layout.prepared, id);
  if (existsSync(directory) && (await isKept(directory))) return sameRelease(await readPrepared(layout, id), commits);
  const staged = join(layout.prepared, `.${id}`);
  try {
    for (const path of [staged, directory]) await rm(path, { recursive: true, force: true });
    await makeFolder(join(staged, folderOfAttachments));
    for (const each of commits) {
      await writeNewFile(join(staged, commitFile(each.commit)), each.bytes);
      if (each.statement !== undefined) await writeNewFile(join(staged, statementFile(each.commit)), each.statement);
    }
    if (manifest !== undefined) {
      await writeNewFile(join(staged, releaseFiles.manifest), manifestJson(manifest));
      await writeNewFile(join(staged, releaseFiles.manifestYaml), Buffer.from(manifestYaml(manifest)));
    }
    for (const { name, bytes } of attachments) await writeNewFile(join(staged, folderOfAttachments, name), bytes);
    const listed = commits.map(({ branch, commit, parent }) => ({ branch, commit, parent: parent ?? null }));
    const file: PreparedFile = { id, made, kept, commits: listed };
    await writeNewFile(join(staged, fileName), Buffer.from(canonicalJson(file)));
    for (const path of [join(staged, folderOfAttachments), staged]) await syncDirectory(path);
    await rename(staged, directory);
    await syncDirectory(layout.prepared);
  } catch (error) {
    throw fromFileSystem(error, `the prepared release cannot be written to ${directory}`);
  }
  return { id, directory, made, kept, commits, manifest, attachments };
}

function sameRelease(there: PreparedRelease, commits: readonly PreparedCommit[]): PreparedRelease {
  const text = (list: readonly PreparedCommit[]): string => list.map((each) => `${each.branch} ${each.commit}`).join();
  if (text(there.commits) === text(commits)) return there;
  throw new StillageError("exists", `${there.id} is prepared already, and is for other branches besides`, {
    hint: `publish it, or remove ${there.directory}`,
  });
}

/** A prepared release of a name, or of the beginning of one. Errors: `not-found`, `corrupt`. */
export async function readPrepared(layout: ReleaseLayout, id: string): Promise<PreparedRelease> {
  const there = await listPrepared(layout);
  const found = there.filter((each) => each.startsWith(id));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const what = only === undefined ? "no prepared release" : "more than one prepared release with";
    throw new StillageError("not-found", `there is ${what} ${JSON.stringify(id.slice(0, 100))}`, {
      hint: there.length === 0 ? "`stillage release prepare` makes one" : `there is ${there.join(", ")}`,
    });
  }
  const directory = join(layout.prepared, only);
  try {
    const file = JSON.parse(await readFile(join(directory, fileName), "utf8")) as PreparedFile;
    const commits: PreparedCommit[] = [];
    for (const { branch, commit, parent } of file.commits) {
      const bytes = await readFile(join(directory, commitFile(commit)));
      if (hashOf(sha256, bytes) !== commit) throw new Error(`${commitFile(commit)} has another checksum`);
      const statement = await ifThere(join(directory, statementFile(commit)));
      commits.push({ branch, commit, bytes, parent: parent ?? undefined, statement });
    }
    const json = await ifThere(join(directory, releaseFiles.manifest));
    const manifest = json && parseManifest(json);
    for (const { branch, commit, bytes } of commits) {
      const wanted = readRecord(branch, commit, bytes).manifest;
      if (json !== undefined && wanted === manifestDigest(json)) continue;
      if (json !== undefined || wanted !== undefined) throw new Error(`${commit} names another manifest`);
    }
    const attachments = manifest?.attachments ?? [];
    const { made, kept } = file;
    return { id: file.id, directory, made, kept, commits, manifest, attachments };
  } catch (error) {
    throw new StillageError("corrupt", `the prepared release in ${directory} cannot be read`, {
      hint: "remove that directory, and prepare the release again",
      cause: error,
    });
  }
}

/** The names of all that are prepared, in order. */
export async function listPrepared(layout: ReleaseLayout): Promise<string[]> {
  try {
    const names = await readdir(layout.prepared);
    return names.filter((name) => /^[0-9a-f]{16}$/.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fromFileSystem(error, `the prepared releases in ${layout.prepared} cannot be listed`);
  }
}

/** The file of an attachment of a prepared release. */
export function attachmentFile({ directory }: PreparedRelease, name: string): string {
  return join(directory, folderOfAttachments, name);
}

/** Removes a prepared release; its objects stay until `release prune`. */
export async function removePrepared({ directory }: Pick<PreparedRelease, "directory">): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Removes what crashes have left: what was never whole, and what nobody is to sign. */
export async function dropLeftovers(layout: ReleaseLayout): Promise<void> {
  for (const name of await readdir(layout.prepared).catch(() => [])) {
    const directory = join(layout.prepared, name);
    if (name.startsWith(".") || !(await isKept(directory))) await removePrepared({ directory });
  }
  for (const name of await readdir(layout.keys).catch(() => [])) {
    if (name.endsWith(".new")) await rm(join(layout.keys, name), { force: true }); // see replaceFile
  }
}

async function isKept(directory: string): Promise<boolean> {
  const text = await ifThere(join(directory, fileName));
  try {
    return text === undefined || (JSON.parse(text.toString()) as PreparedFile).kept;
  } catch {
    return true; // what is damaged is for somebody to look at
  }
}

async function ifThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
