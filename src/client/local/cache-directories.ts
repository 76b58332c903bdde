import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { artifactFolder } from "./cache-layout.ts";

/** Where a local cache is: the directory of BuildStream 1.9x and 2, and the `artifactdir` of BuildStream 1. */
export interface CacheDirectories {
  readonly cacheDirectory: string;
  readonly artifactDirectory: string;
}

/** BuildStream 1 knows no directory around its `artifactdir`. */
export function aroundArtifactdir(artifactdir: string): CacheDirectories {
  const cacheDirectory = basename(artifactdir) === artifactFolder ? dirname(artifactdir) : artifactdir;
  return { cacheDirectory, artifactDirectory: artifactdir };
}

/** Those of a directory that somebody names as a cache: it may be an `artifactdir`, or what one is in, or not be there yet. */
export function cacheDirectoriesAt(directory: string): CacheDirectories {
  if (isArtifactdir(directory)) return aroundArtifactdir(directory);
  return { cacheDirectory: directory, artifactDirectory: join(directory, artifactFolder) };
}

/** By its refs of 1.x. Releases from 1.91 on have a folder for these, too, which stays empty. */
function isArtifactdir(directory: string): boolean {
  if (existsSync(join(directory, artifactFolder, "cas"))) return false;
  const refs = namesIn(join(directory, "cas", "refs", "heads"));
  return refs !== undefined && (refs.length > 0 || !existsSync(join(directory, artifactFolder)));
}

function namesIn(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path);
  } catch {
    return undefined;
  }
}
