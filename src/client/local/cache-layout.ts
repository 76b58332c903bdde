import { join } from "node:path";
import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";

/** Where one generation of BuildStream's programs keeps blobs and what artifacts are called. All paths are absolute. */
export interface CacheLayout {
  /** `AA/REST` by SHA-256 below it. */
  readonly objects: string;
  /** Ours, on the file system of the objects, where no program of BuildStream looks: what is being written. */
  readonly incoming: string;
  /** As the real program makes its objects, executable or not. */
  readonly objectMode: number;
  /** `PROJECT/ELEMENT/KEY` below it. */
  readonly refs: string;
  /** As `incoming`, on the file system of the refs: `bst artifact list` takes any file among these for an artifact. */
  readonly incomingRefs: string;
  /** What the real program last counted: it counts anew where this is not there. */
  readonly usage: string;
}

/**
 * Of BuildStream 1.9x and 2 (`_artifactcache.py`, `_cas/cascache.py`) with buildbox-casd, which makes every object read-only, drops those that were
 * modified longest ago once a quota is reached, and leaves what it does not know in `cas` alone.
 */
export function layout2(cache: string): CacheLayout {
  const cas = join(cache, "cas");
  return {
    objects: join(cas, "objects"),
    incoming: join(cas, "stillage"),
    objectMode: 0o444,
    refs: join(cache, "artifacts", "refs"),
    incomingRefs: join(cache, "artifacts", "stillage"),
    usage: join(cas, "disk_usage"),
  };
}

/** Where `artifactdir` of BuildStream 1 is in a cache, unless somebody has it elsewhere. */
export const artifactFolder = "artifacts";

/** Of BuildStream 1.1.4 to 1.6 (`_artifactcache/cascache.py`), in its `artifactdir`: a ref is an encoded Digest. */
export function layout1(artifacts: string): CacheLayout {
  const cas = join(artifacts, "cas");
  return {
    objects: join(cas, "objects"),
    incoming: join(cas, "stillage"),
    objectMode: 0o644,
    refs: join(cas, "refs", "heads"),
    incomingRefs: join(cas, "stillage"),
    usage: join(artifacts, "cache_size"),
  };
}

/** The archive repository with the artifacts of BuildStream 1.0, which no real program shares with us. */
export function commitRepository(cache: string): string {
  return join(cache, "stillage", "ostree");
}

/** Where BuildStream 1.0 to 1.1.3 may have artifacts (`_artifactcache/ostreecache.py`): in its `artifactdir`, which may be what somebody named as the cache. */
export function bst10Repositories(artifacts: string, cache: string): string[] {
  return [artifacts, cache].map((each) => join(each, "ostree"));
}

/** The folder of an object. */
export function shelfPath({ objects }: Pick<CacheLayout, "objects">, { hash }: Pick<Digest, "hash">): string {
  return `${objects}/${hash.slice(0, 2)}`;
}

export function objectPath({ objects }: Pick<CacheLayout, "objects">, { hash }: Pick<Digest, "hash">): string {
  return `${objects}/${hash.slice(0, 2)}/${hash.slice(2)}`;
}

const cacheKey = /^[0-9a-f]{64}$/;

/** Bytes of a file's name. */
const maxNameBytes = 255;

/** The path of a ref below a layout's `refs`; `undefined` for a name that no artifact has, such as one that leads elsewhere. */
export function refPath(project: string, element: string, key: string): string | undefined {
  return isFileName(project) && isFileName(element) && isCacheKey(key) ? `${project}/${element}/${key}` : undefined;
}

/** As `refPath`. Errors: `invalid`. */
export function checkedRefPath(project: string, element: string, key: string): string {
  const path = refPath(project, element, key);
  if (path !== undefined) return path;
  throw new StillageError(
    "invalid",
    `${JSON.stringify(`${project}/${element}/${key}`)} is not the name of an artifact`,
  );
}

/** What else lies where refs are is left of a program that was killed. */
export function isCacheKey(name: string): boolean {
  return cacheKey.test(name);
}

/** Whether a name from outside can be that of one file in its directory. */
export function isFileName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) return false;
  return Buffer.byteLength(name) <= maxNameBytes;
}
