import { randomBytes } from "node:crypto";
import { linkSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolderSync } from "../../base/make-folder.ts";
import { closeFile, openFile, syncData, syncDirectory } from "../../store/disk/file-io.ts";
import { globMatches, hasWildcard } from "../../store/glob.ts";
import { maxMessageBytes } from "../../store/ref-limits.ts";
import type { ArtifactGlob } from "../artifact-index.ts";
import { cacheFailure, isAbsent } from "./cache-failure.ts";
import { type CacheLayout, checkedRefPath, isCacheKey, isFileName, refPath } from "./cache-layout.ts";
import { lookAt, readObject, removeObject, sizeOfObject, touchFile, writeTemporary } from "./object-file.ts";
import type { ElementName, RefShelf, RefTimes } from "./ref-shelf.ts";

/** What programs write who hold a ref open for writing, too. */
const refMode = 0o644;

const incomingPrefix = "ref-";

const abandonedMs = 3_600_000;

/** A ref is replaced while others remove its folder, at most so often in a row. */
const maxTries = 10;

/** The refs of one generation: a small file for each key, named as the artifact is. */
export class RefFiles implements RefShelf {
  private readonly layout: CacheLayout;
  private isReady = false;

  constructor(layout: CacheLayout) {
    this.layout = layout;
  }

  read(project: string, element: string, key: string): Uint8Array | undefined {
    const path = this.pathOf(project, element, key);
    const size = path === undefined ? undefined : sizeOfObject(path);
    // A ref without bytes is what a power cut leaves of the real program's.
    if (path === undefined || size === undefined || size === 0 || size > maxMessageBytes) return undefined;
    return readObject(path, new Uint8Array(size + 1), size);
  }

  timesOf(project: string, element: string, key: string): RefTimes | undefined {
    const path = this.pathOf(project, element, key);
    const stats = path === undefined ? undefined : lookAt(path);
    return stats && { written: Math.round(stats.birthtimeMs), used: Math.round(stats.mtimeMs) };
  }

  touch(project: string, element: string, key: string): void {
    const path = this.pathOf(project, element, key);
    if (path !== undefined) touchFile(path);
  }

  /** One where the glob has no wildcards, and no more folders are read than it takes. */
  *elements({ project, element }: ArtifactGlob): Generator<ElementName> {
    for (const inProject of this.matching(this.layout.refs, project)) {
      for (const named of this.matching(join(this.layout.refs, inProject), element)) {
        yield { project: inProject, element: named };
      }
    }
  }

  keys(project: string, element: string): string[] {
    return namesIn(join(this.layout.refs, project, element)).filter(isCacheKey);
  }

  /**
   * Makes each of the keys lead to these bytes, one file for all of them as the real program has it. Each appears whole or not at all; a crash leaves a
   * file in `incomingRefs`, which a later writer takes away, and the keys behind it undone. Errors: `invalid` for what cannot be a name; those of the file system.
   */
  async write(project: string, element: string, keys: readonly string[], bytes: Uint8Array): Promise<void> {
    const paths = [...new Set(keys)].map((key) => join(this.layout.refs, checkedRefPath(project, element, key)));
    const { incomingRefs, refs } = this.layout;
    const temporary = join(incomingRefs, `${incomingPrefix}${process.pid}-${randomBytes(6).toString("hex")}`);
    const link = `${temporary}-link`;
    try {
      const above = foldersAbove(refs);
      makeFolderSync(incomingRefs);
      if (!this.isReady) removeAbandoned(incomingRefs);
      this.isReady = true;
      writeTemporary(temporary, bytes, refMode);
      await syncFile(temporary);
      for (const path of paths) {
        linkSync(temporary, link);
        replace(link, path);
      }
      // With those above: each of them may be as new as the ref.
      const folder = dirname(paths[0] as string);
      for (const each of [folder, dirname(folder), refs, ...above]) await syncDirectory(each);
    } catch (error) {
      removeObject(link);
      throw cacheFailure(error, `writing the ref ${project}/${element}/${keys[0]}`);
    } finally {
      removeObject(temporary);
    }
  }

  /** Removes a ref, and its folders where it was the last there. False where there was none. */
  remove(project: string, element: string, key: string): boolean {
    const path = this.pathOf(project, element, key);
    if (path === undefined) return false;
    try {
      unlinkSync(path);
    } catch (error) {
      if (isAbsent(error)) return false;
      throw cacheFailure(error, `removing ${path}`);
    }
    try {
      rmdirSync(dirname(path));
      rmdirSync(dirname(dirname(path)));
    } catch {
      // others are in there
    }
    return true;
  }

  private pathOf(project: string, element: string, key: string): string | undefined {
    const path = refPath(project, element, key);
    return path && join(this.layout.refs, path);
  }

  private matching(folder: string, glob: string): string[] {
    if (!hasWildcard(glob)) return isFileName(glob) ? [glob] : [];
    return namesIn(folder).filter((name) => globMatches(glob, name));
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw cacheFailure(error, `reading ${folder}`);
  }
}

/** The folders above one that is not there yet, up to one that is. */
function foldersAbove(path: string): string[] {
  if (lookAt(path) !== undefined || dirname(path) === path) return [];
  return [dirname(path), ...foldersAbove(dirname(path))];
}

/** What programs have left that were killed as they wrote a ref, which takes a moment. */
function removeAbandoned(incomingRefs: string): void {
  for (const name of readdirSync(incomingRefs)) {
    const path = join(incomingRefs, name);
    const stats = name.startsWith(incomingPrefix) ? lookAt(path) : undefined;
    if (stats !== undefined && stats.mtimeMs < Date.now() - abandonedMs) removeObject(path);
  }
}

/** Whoever removes the last ref of an element removes the folder as well. */
function replace(from: string, path: string): void {
  for (let tries = 1; ; tries++) {
    try {
      makeFolderSync(dirname(path));
      renameSync(from, path);
      return;
    } catch (error) {
      if (!isAbsent(error) || tries === maxTries) throw error;
    }
  }
}

async function syncFile(path: string): Promise<void> {
  const fd = await openFile(path, "r");
  try {
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
}
