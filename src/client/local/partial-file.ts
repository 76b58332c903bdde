import { randomBytes } from "node:crypto";
import { constants, fchmodSync, fstatSync, futimesSync } from "node:fs";
import { chmod, copyFile, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { runningHash } from "../../base/hash.ts";
import { closeFile, openFile, readFully, syncData, truncateFile } from "../../store/disk/file-io.ts";
import { isAbsent } from "./cache-failure.ts";
import { placeFile } from "./object-file.ts";
import { pieceBytes } from "./piece-room.ts";
import { TrailingWriter } from "./trailing-writer.ts";

/** Nobody writes to a file that has not changed for so long, in milliseconds. */
const abandonedMs = 60_000;

/** So often it is told by its time that somebody writes to a file, however slowly bytes come. */
const signOfLifeMs = 10_000;

const partMode = 0o644;

/** After so many bytes the disk is told to begin: whoever waits for it at the end would else wait for all of a large blob. */
const aheadBytes = 64 << 20;

/** Whether the disk is at one of this process's files: each takes one of the few threads that all other file operations want as well. */
let isAhead = false;

/** What of a large blob has come, in a file of its own: `HASH-SIZE.part` while nobody writes to it, `HASH-SIZE.WRITER.part` while somebody does. */
export class PartialFile {
  private readonly folder: string;
  private readonly digest: Digest;
  private readonly path: string;
  private readonly fd: number;
  private out: TrailingWriter;
  private shownAt = Number.NEGATIVE_INFINITY;
  private isOpen = true;
  /** While the disk is at it; how far it was told to go. */
  private syncing: Promise<void> | undefined;
  private syncedTo = 0;
  private readonly aheadBytes: number;
  private syncFailure: { readonly error: unknown } | undefined;

  private constructor(folder: string, digest: Digest, path: string, fd: number, ahead: number) {
    this.aheadBytes = ahead;
    this.folder = folder;
    this.digest = digest;
    this.path = path;
    this.fd = fd;
    const { size } = fstatSync(fd);
    this.syncedTo = size;
    this.out = new TrailingWriter(fd, size, pieceBytes);
  }

  /** Bytes that have come. More than the blob has are somebody else's: see `restart`. */
  get length(): number {
    return this.out.end;
  }

  /**
   * Takes what an earlier writer has left, or begins. One that was killed leaves its file under its own name: that is taken once it has not changed for a
   * minute, as a copy, because a writer that only hangs would go on in the same file.
   */
  static async take(folder: string, digest: Digest, ahead = aheadBytes): Promise<PartialFile> {
    const path = join(folder, `${stem(digest)}.${process.pid}-${randomBytes(6).toString("hex")}.part`);
    const taken = (await renamed(resting(folder, digest), path)) || (await copied(folder, digest, path));
    const fd = await openFile(path, taken ? "r+" : "wx+");
    try {
      const file = new PartialFile(folder, digest, path, fd, ahead);
      file.showLife();
      if (file.length > digest.size) await file.restart();
      return file;
    } catch (error) {
      await closeFile(fd);
      throw error;
    }
  }

  /** Errors: `corrupt` for more than the blob has. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.length + bytes.length > this.digest.size) throw different(this.digest);
    this.checkDisk();
    await this.out.add(bytes);
    if (performance.now() - this.shownAt > signOfLifeMs) this.showLife();
    if (!isAhead && this.length - this.syncedTo >= this.aheadBytes) this.syncAhead();
  }

  /** Whether it is the blob, byte for byte: it is read again. */
  async isWhole(): Promise<boolean> {
    if (this.length !== this.digest.size) return false;
    await this.out.flush();
    const running = runningHash(this.digest.function);
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let at = 0; at < this.length; ) {
      const count = await readFully(this.fd, piece, at);
      if (count === 0) return false;
      await running.update(piece.subarray(0, count));
      at += count;
    }
    return (await running.digest("hex")) === this.digest.hash;
  }

  /** Takes all that has come away. */
  async restart(): Promise<void> {
    await this.out.flush();
    await truncateFile(this.fd, 0);
    this.syncedTo = 0;
    this.out = new TrailingWriter(this.fd, 0, pieceBytes);
  }

  /** Becomes the object at `path`. Errors: those of the file system; `aborted` where another writer took it for abandoned. */
  async publish(path: string, mode: number): Promise<void> {
    await this.out.flush();
    // The disk may take longer than others wait before they take it for abandoned.
    this.showLife();
    fchmodSync(this.fd, mode);
    await this.close();
    this.checkDisk();
    try {
      placeFile(this.path, path, this.digest.size);
    } catch (error) {
      if (!isAbsent(error)) {
        await chmod(this.path, partMode).catch(() => {}); // it is gone on with all the same
        throw error;
      }
      const why = `what had come of ${showDigest(this.digest)} was taken by another process`;
      throw new StillageError("aborted", why, { hint: "try again", cause: error });
    }
  }

  /** Leaves what has come to the next writer, as far as there was room for it. Never fails: what cannot be kept has to come again. */
  async rest(): Promise<void> {
    await this.out.flush().catch(() => {});
    await this.close().catch(() => {});
    // What the disk has of it is not known, and nobody would be told again.
    const isKept = this.out.writtenTo > 0 && this.syncFailure === undefined;
    const kept = isKept && rename(this.path, resting(this.folder, this.digest));
    await Promise.resolve(kept || unlink(this.path)).catch(() => {});
  }

  private async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await Promise.all([this.syncing, this.out.rest()]);
    await closeFile(this.fd);
  }

  private showLife(): void {
    const now = new Date();
    futimesSync(this.fd, now, now);
    this.shownAt = performance.now();
  }

  private syncAhead(): void {
    this.syncedTo = this.length;
    isAhead = true;
    this.syncing = syncData(this.fd)
      .catch((error: unknown) => {
        this.syncFailure ??= { error };
      })
      .then(() => {
        isAhead = false;
      });
  }

  /** Linux tells of a failure once: whoever asks again for the same file hears of none. */
  private checkDisk(): void {
    if (this.syncFailure !== undefined) throw this.syncFailure.error;
  }
}

/** What is said of bytes that came for a blob and are not its. */
export function different(digest: Digest): StillageError {
  return new StillageError("corrupt", `the bytes that came for ${showDigest(digest)} are others`);
}

const isFull = (error: unknown): boolean => ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");

const stem = ({ hash, size }: Digest): string => `${hash}-${size}`;

function resting(folder: string, digest: Digest): string {
  return join(folder, `${stem(digest)}.part`);
}

async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

async function copied(folder: string, digest: Digest, to: string): Promise<boolean> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${stem(digest)}.`)) continue;
    const from = join(folder, name);
    try {
      if ((await stat(from)).mtimeMs > Date.now() - abandonedMs) continue;
      await copyFile(from, to, constants.COPYFILE_FICLONE);
      await chmod(to, partMode); // killed just before it was published, it is read-only
      await unlink(from);
      return true;
    } catch (error) {
      if (isAbsent(error)) continue;
      if (!isFull(error)) throw error;
      // There may be room for the blob without what nobody goes on with.
      for (const path of [to, from]) await unlink(path).catch(() => {});
    }
  }
  return false;
}
