import { constants, existsSync } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "../../base/digest-function.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import type { FileLock } from "../../base/file-lock.ts";
import { hashOf } from "../../base/hash.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { type Commit, decodeCommit } from "../commit.ts";
import { type DirMeta, decodeDirMeta } from "../dirmeta.ts";
import { type DirTree, decodeDirTree } from "../dirtree.ts";
import { maxMetadataBytes } from "../metadata-limit.ts";
import { type Checksum, type ObjectType, objectPath } from "../object-name.ts";
import { isRefName } from "../ref-name.ts";
import { maxConfigBytes, newConfig, parseRepositoryConfig, type RepositoryConfig } from "./config-file.ts";
import { syncDirectory, writeNewFile } from "./durable-file.ts";
import { fileContent } from "./file-content.ts";
import { finishPublication } from "./publication.ts";
import { listRefs, type Ref, readRef } from "./ref-files.ts";
import { RepositoryChange } from "./repository-change.ts";
import { detachedPath, folders, partialPath } from "./repository-layout.ts";
import { lockRepository } from "./repository-lock.ts";

export type MetadataType = Exclude<ObjectType, "file">;

/** The stored form of a file, as it is. */
export interface StoredFilez {
  /** Bytes of the stored form. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** The list of refs, and its signatures. */
export interface StoredSummary {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array | undefined;
}

export interface ChangeOptions {
  /** How long to wait for another writer; the repository's `lock-timeout-secs` if it is not given. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * An OSTree repository of mode `archive` on disk: readable by every `ostree`, and servable by every web server as it is. Reading takes no lock: objects never
 * change, and whatever a ref leads to is there before the ref. Writing is done by a `RepositoryChange`, one at a time.
 */
export class ArchiveRepository {
  readonly directory: string;
  readonly config: RepositoryConfig;

  private constructor(directory: string, config: RepositoryConfig) {
    this.directory = directory;
    this.config = config;
  }

  /**
   * Makes a repository, in a directory that may be there. The config comes last: without it there is no repository, and making it again goes on where a
   * crash was. Errors: `exists` where there is one.
   */
  static async init(directory: string): Promise<ArchiveRepository> {
    const config = join(directory, "config");
    if (existsSync(config)) throw new StillageError("exists", `there is a repository in ${directory}`);
    try {
      for (const folder of folders) await makeFolder(join(directory, folder));
      const fresh = join(directory, "tmp/config.new");
      await rm(fresh, { force: true });
      await writeNewFile(fresh, Buffer.from(newConfig));
      for (const folder of [...folders, "refs", "tmp"]) await syncDirectory(join(directory, folder));
      await rename(fresh, config);
      await syncDirectory(directory);
      await syncDirectory(dirname(directory));
    } catch (error) {
      throw fromFileSystem(error, `cannot make a repository in ${directory}`);
    }
    return ArchiveRepository.open(directory);
  }

  /** Errors: `not-found` where there is none, `unsupported` for one of another mode, `invalid` where its config cannot be read. */
  static async open(directory: string): Promise<ArchiveRepository> {
    const path = join(directory, "config");
    const there = await stat(path).catch(() => undefined);
    if (there === undefined || !existsSync(join(directory, "objects"))) {
      throw new StillageError("not-found", `there is no OSTree repository in ${directory}`);
    }
    if (there.size > maxConfigBytes) throw new StillageError("invalid", `${path} is too large for a config`);
    try {
      return new ArchiveRepository(directory, parseRepositoryConfig(await readFile(path, "utf8")));
    } catch (error) {
      if (!(error instanceof StillageError)) throw fromFileSystem(error, `cannot read ${path}`);
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new StillageError(error.code, `the repository ${directory} cannot be used: ${error.message}`, hint);
    }
  }

  pathOf(checksum: Checksum, type: ObjectType): string {
    return join(this.directory, objectPath(checksum, type));
  }

  /** Whether an object is there. A look at the file system at once: cheaper than a turn of the event loop, and asked for thousands. */
  has(checksum: Checksum, type: ObjectType): boolean {
    return existsSync(this.pathOf(checksum, type));
  }

  /** Whether a commit is there without all that it needs: a pull by another program was broken off. */
  isPartial(commit: Checksum): boolean {
    return existsSync(join(this.directory, partialPath(commit)));
  }

  /** The bytes of a commit, dirtree or dirmeta; `undefined` where it is not there. Errors: `corrupt` where they are not those of the checksum. */
  async readMetadata(checksum: Checksum, type: MetadataType): Promise<Uint8Array | undefined> {
    const bytes = await readBounded(this.pathOf(checksum, type));
    if (bytes !== undefined && hashOf(sha256, bytes) !== checksum) throw damaged(checksum, type);
    return bytes;
  }

  /** Errors: `corrupt`. */
  async commit(checksum: Checksum): Promise<Commit | undefined> {
    const bytes = await this.readMetadata(checksum, "commit");
    return bytes && decodeCommit(bytes);
  }

  /** Errors: `corrupt`. */
  async dirTree(checksum: Checksum): Promise<DirTree | undefined> {
    const bytes = await this.readMetadata(checksum, "dirtree");
    return bytes && decodeDirTree(bytes);
  }

  /** Errors: `corrupt`. */
  async dirMeta(checksum: Checksum): Promise<DirMeta | undefined> {
    const bytes = await this.readMetadata(checksum, "dirmeta");
    return bytes && decodeDirMeta(bytes);
  }

  /** A file object as it is stored, unverified; `undefined` where it is not there. */
  async openFilez(checksum: Checksum): Promise<StoredFilez | undefined> {
    const path = this.pathOf(checksum, "file");
    const stats = await stat(path).catch((error: unknown) => absent(error, path));
    return stats && { size: stats.size, content: fileContent(path) };
  }

  /** The detached metadata of a commit: signatures, which may change. */
  readDetached(commit: Checksum): Promise<Uint8Array | undefined> {
    return readBounded(join(this.directory, detachedPath(commit)));
  }

  /** The summary and its signature as they stand. Another process may be about to replace them: one of them can be newer. */
  async summary(): Promise<StoredSummary | undefined> {
    const bytes = await readBounded(join(this.directory, "summary"));
    return bytes && { bytes, signature: await readBounded(join(this.directory, "summary.sig")) };
  }

  /** Where a ref leads; `undefined` where there is none. Errors: `corrupt`. */
  async ref(name: string): Promise<Checksum | undefined> {
    return isRefName(name) ? (await readRef(this.directory, name))?.commit : undefined;
  }

  /** All refs, sorted by name. Errors: `corrupt`. */
  refs(): Promise<ReadonlyMap<string, Ref>> {
    return listRefs(this.directory);
  }

  /**
   * Begins a change: the only one in this repository until it is published or aborted. What a change that was cut short has left is put right first: it is finished where
   * it had been decided, and is gone where not. Errors: `unavailable` while somebody else writes.
   */
  async begin(options?: ChangeOptions): Promise<RepositoryChange> {
    const lock = await this.lockAlone(options);
    try {
      return await RepositoryChange.begin(this, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Begins a change that keeps nobody from writing while it is filled, however long that takes: it is published once it has joined (`joinAlone`). */
  async beginBeside(): Promise<RepositoryChange> {
    await makeFolder(join(this.directory, "tmp"));
    return RepositoryChange.beginBeside(this);
  }

  /** For changes: the repository's lock, with what others have left put right. */
  async lockAlone({ patienceMs = this.config.lockTimeoutMs, signal }: ChangeOptions = {}): Promise<FileLock> {
    const lock = await lockRepository(this.directory, patienceMs, signal);
    try {
      await finishPublication(this.directory);
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  }
}

async function readBounded(path: string): Promise<Uint8Array | undefined> {
  // A pipe in its place would keep whoever opens it waiting for good.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) =>
    absent(error, path),
  );
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new StillageError("corrupt", `${path} is not a file`);
    const { size } = stats;
    if (size > maxMetadataBytes) throw new StillageError("corrupt", `${path} is larger than ${maxMetadataBytes} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function absent(error: unknown, path: string): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw fromFileSystem(error, `cannot read ${path}`);
}

function damaged(checksum: Checksum, type: ObjectType): StillageError {
  return new StillageError("corrupt", `the ${type} ${checksum} has other bytes than its checksum says`, {
    hint: "the repository is damaged; what it had can be pulled again from a mirror",
  });
}
