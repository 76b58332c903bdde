import { lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { StillageError } from "../../base/errors.ts";
import type { Generation } from "../../store/artifact-refs.ts";
import { closeFile } from "../../store/disk/file-io.ts";
import { openRegular } from "../../store/disk/regular-file.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { BlobPlace, Place } from "../place.ts";
import { CacheBlobs } from "./cache-blobs.ts";
import { cacheFailure, isAbsent } from "./cache-failure.ts";
import { CacheIndex } from "./cache-index.ts";
import { MessageSource } from "./message-source.ts";
import { Spool } from "./spool.ts";
import { TarBlobs } from "./tar-blobs.ts";
import { noContents, readTarContents, type TarContents } from "./tar-contents.ts";
import { TarRefs } from "./tar-refs.ts";
import { writeTar } from "./write-tar.ts";

/** Artifacts in a tar file. */
export interface ArtifactTar extends Place {
  readonly path: string;
  readonly index: CacheIndex;
  readonly blobs: BlobPlace;
  blobsFor(generation: Generation): BlobPlace;
  /** Removes every name of an artifact and tells how many there were; its blobs stay. */
  remove(artifact: IndexedArtifact): Promise<number>;
  save(): Promise<void>;
}

/**
 * Opens a tar file with artifacts. Inside, it is the directory of BuildStream's cache: `tar -xf` there, and the real program has them; and an archive of such a directory can be read.
 *
 * To be written, it need not be there, and may be empty; what is there stays in it. All of it is written when the place is saved or disposed of, where anything has changed, and takes the place of the old
 * one at once: until then a crash leaves that as it was.
 * Errors: `not-found`; `failed-precondition` for what is no such archive; those of the file system.
 */
export async function openArtifactTar(
  path: string,
  mode: "read" | "write",
  signal: AbortSignal = new AbortController().signal,
): Promise<ArtifactTar> {
  const file = fileAt(resolve(path));
  const opened = await openFileAt(file, mode);
  let contents = noContents();
  try {
    if (opened !== undefined && !(mode === "write" && opened.size === 0))
      contents = await readTarContents(opened.fd, opened.size, signal);
  } catch (error) {
    if (opened !== undefined) await closeFile(opened.fd);
    throw notReadable(file, error);
  }
  const spool = new Spool(file, mode === "read");
  return {
    ...parts(file, contents, spool),
    writable: mode === "write",
    near: mode === "read",
    ...ending(file, contents, spool, opened),
  };
}

function parts(
  path: string,
  contents: TarContents,
  spool: Spool,
): Omit<ArtifactTar, "writable" | "save" | typeof Symbol.asyncDispose> {
  const messages = new TarRefs(contents["of 2"].refs, spool);
  const directories = new TarRefs(contents["of 1"].refs, spool);
  const found = new MessageSource(messages);
  const objects2 = new TarBlobs({ path, objects: contents["of 2"].objects, spool, needsEmpty: false });
  const objects1 = new TarBlobs({ path, objects: contents["of 1"].objects, spool, needsEmpty: true });
  const blobs = new CacheBlobs({ sources: [objects2, objects1, found], sink: objects2 });
  const blobs1 = new CacheBlobs({ sources: [objects1, objects2], sink: objects1 });
  const index = new CacheIndex({
    messages,
    directories,
    found: (content, name) => found.found(content, name),
    blobs,
  });
  return {
    name: path,
    path,
    index,
    blobs,
    blobsFor(generation) {
      if (generation === "1.0") throw new StillageError("unsupported", "archives have no artifacts of BuildStream 1.0");
      return generation === "1.x" ? blobs1 : blobs;
    },
    remove: (artifact) => index.remove(artifact),
  };
}

/** Writing all of it, and the end. */
function ending(
  path: string,
  contents: TarContents,
  spool: Spool,
  opened: OpenedTar | undefined,
): Required<Pick<ArtifactTar, "save" | typeof Symbol.asyncDispose>> {
  let isOpen = true;
  let hasFailed = false;
  let known = opened?.identity;
  const save = async (): Promise<void> => {
    if (!spool.hasChanges) return;
    // What comes meanwhile is a change again.
    spool.saved();
    try {
      known = identityOf(await writeTar(path, contents, () => checkUnchanged(path, known)));
      hasFailed = false;
    } catch (error) {
      spool.changed();
      hasFailed = true;
      throw cacheFailure(error, `writing ${path}`);
    }
  };
  return {
    save,
    async [Symbol.asyncDispose]() {
      if (!isOpen) return;
      isOpen = false;
      try {
        if (!hasFailed) await save();
      } finally {
        spool.close();
        if (opened !== undefined) await closeFile(opened.fd);
      }
    },
  };
}

interface OpenedTar {
  readonly fd: number;
  readonly size: number;
  readonly identity: string;
}

/** Another where it is another file, or was written to. */
const identityOf = ({ dev, ino, size, mtimeMs }: Stats): string => [dev, ino, size, mtimeMs].join();

/** What another has put there meanwhile is not replaced: whoever began with less would take it away. Errors: `aborted`. */
function checkUnchanged(path: string, known: string | undefined): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if ((stats && identityOf(stats)) === known) return;
  throw new StillageError("aborted", `${path} was changed by another program meanwhile, and stays as it is now`, {
    hint: "the same command, run again, adds to it",
  });
}

async function openFileAt(path: string, mode: "read" | "write"): Promise<OpenedTar | undefined> {
  try {
    const { fd, stats } = await openRegular(path);
    return { fd, size: stats.size, identity: identityOf(stats) };
  } catch (error) {
    if (error instanceof StillageError)
      throw new StillageError(error.code, `${path}: ${error.message}`, { cause: error });
    if (!isAbsent(error)) throw cacheFailure(error, `opening ${path}`);
    const wanted = mode === "write" ? dirname(path) : path;
    if (wanted !== path && statSync(wanted, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    throw new StillageError("not-found", `there is no ${wanted === path ? "" : "directory "}${wanted}`, {
      cause: error,
    });
  }
}

/** The file that a path leads to: a link to an archive stays one. Errors: `invalid` for a link that leads nowhere. */
function fileAt(path: string): string {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? realpathSync(path) : path;
  } catch (error) {
    if (!isAbsent(error)) throw cacheFailure(error, `opening ${path}`);
    throw new StillageError("invalid", `${path} is a link that leads nowhere`, { cause: error });
  }
}

function notReadable(path: string, error: unknown): StillageError {
  if (!(error instanceof StillageError)) return cacheFailure(error, `reading ${path}`);
  const details = error.hint === undefined ? { cause: error } : { cause: error, hint: error.hint };
  return new StillageError(error.code, `${path} is no archive of artifacts: ${error.message}`, details);
}
