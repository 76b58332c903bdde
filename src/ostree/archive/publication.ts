import { existsSync } from "node:fs";
import { lstat, readdir, readFile, rename, rm, rmdir, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromFileSystem } from "../../base/errors.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { makeDirectories, syncDirectory, writeNewFile } from "./durable-file.ts";
import { headsPath } from "./ref-files.ts";
import { stagingPrefix } from "./repository-layout.ts";
import { lockLeftStaging, stagingNames } from "./staging-lock.ts";

/** A file that gets another name. Both are paths in the repository; one of them is in the directory of the staged files. */
export interface Move {
  readonly from: string;
  readonly to: string;
}

/** What is decided, and remains to be done: to be repeated until it is done. */
export interface Publication {
  /** In groups: each is on the disk before the next begins. */
  readonly groups: readonly (readonly Move[])[];
  /** Seconds since 1970 that the repository's directory gets as the time of its last change, which a new summary has; `null` where there is none. */
  readonly time: number | null;
}

const journal = "publication.json";

/**
 * Does what a change comes to, after its objects: detached metadata, refs, the summary. Its journal decides: once that is on the disk all of it will
 * happen, by us or, after a crash, by whoever begins the next change; before, none of it. In between, others see some refs moved and others not, and
 * each of them leads to a commit that is there with all that it needs.
 */
export async function publish(repository: string, staging: string, publication: Publication): Promise<void> {
  const folder = join(repository, staging);
  try {
    await writeNewFile(join(folder, "journal.new"), Buffer.from(JSON.stringify(publication)));
    await syncDirectory(folder);
    // The directory itself may not be on the disk yet, and a journal that a power cut takes away with it decides nothing.
    await syncDirectory(dirname(folder));
    await rename(join(folder, "journal.new"), join(folder, journal));
    await syncDirectory(folder);
    await apply(repository, staging, publication);
  } catch (error) {
    throw fromFileSystem(error, `cannot publish a change in ${repository}`);
  }
}

/** Does what earlier changes had decided and not finished, and removes what others have left. Only under the repository's lock. */
export async function finishPublication(repository: string): Promise<void> {
  try {
    await finishAll(repository);
  } catch (error) {
    throw fromFileSystem(error, `cannot finish what an earlier change has left in ${repository}`);
  }
}

async function finishAll(repository: string): Promise<void> {
  // Copies of repositories may be without what was empty.
  await makeFolder(join(repository, "tmp"));
  const names = stagingNames(await readdir(join(repository, "tmp")), stagingPrefix);
  const left = names.flatMap((name) => {
    const staging = join("tmp", name);
    const lock = lockLeftStaging(repository, staging);
    return lock === undefined ? [] : [{ staging, lock }];
  });
  try {
    // Objects of theirs that were placed are found to be there from now on: they have to stay.
    if (left.length > 0) await syncObjects(repository);
    for (const { staging } of left) {
      if (existsSync(join(repository, staging, journal))) {
        await apply(repository, staging, JSON.parse(await readFile(join(repository, staging, journal), "utf8")));
      }
      await dropStaging(repository, staging);
    }
  } finally {
    for (const { lock } of left) lock.release();
  }
}

/** Removes the directory of a change: first its journal, which must not be found again with half of the files that it names. */
export async function dropStaging(repository: string, staging: string): Promise<void> {
  const path = join(repository, staging, journal);
  if (existsSync(path)) {
    await rm(path);
    await syncDirectory(join(repository, staging));
  }
  await rm(join(repository, staging), { recursive: true, force: true });
}

async function apply(repository: string, staging: string, { groups, time }: Publication): Promise<void> {
  for (const moves of groups) {
    const changed = new Set<string>();
    for (const { from, to } of moves) {
      changed.add(dirname(from)).add(dirname(to));
      await move(repository, staging, from, to);
      if (to.startsWith(staging)) await removeEmpty(repository, dirname(from));
    }
    for (const folder of changed) {
      if (existsSync(join(repository, folder))) await syncDirectory(join(repository, folder));
    }
  }
  // A rename changes the directory after the summary was written: to `ostree-push`, a summary older than its directory is out of date.
  if (time !== null) await utimes(repository, time, time);
}

async function move(repository: string, staging: string, from: string, to: string): Promise<void> {
  // Done before a crash. What was taken away may have been made anew since.
  if (to.startsWith(staging) && (await isThere(join(repository, to)))) return;
  if (!(await isThere(join(repository, from)))) return;
  await makeDirectories(repository, dirname(to));
  await rename(join(repository, from), join(repository, to));
}

async function syncObjects(repository: string): Promise<void> {
  const objects = join(repository, "objects");
  const folders = (await readdir(objects)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (const folder of folders) await syncDirectory(join(objects, folder));
  await syncDirectory(objects);
}

/** Also of a symbolic link that leads nowhere. */
function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Removes directories of refs in which there is nothing any more: a ref may get their name. */
async function removeEmpty(repository: string, folder: string): Promise<void> {
  if (!folder.startsWith(`${headsPath}/`)) return;
  try {
    await rmdir(join(repository, folder));
  } catch {
    return;
  }
  await syncDirectory(join(repository, dirname(folder)));
  await removeEmpty(repository, dirname(folder));
}
