import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../base/digest.ts";
import { type DigestFunction, functionOfHexLength } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { closeFile, readFully } from "../store/disk/file-io.ts";
import { openRegular } from "../store/disk/regular-file.ts";
import { entriesOf } from "./entries.ts";

/** Pieces in which large blobs are read. */
const pieceBytes = 1 << 20;

/** A blob's file. */
export interface OldBlob {
  readonly function: DigestFunction;
  readonly hash: string;
}

/** A folder of files that are blobs: `AA/REST`, by the hash in hex, which tells its function. */
export class OldBlobs {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  pathOf({ hash }: OldBlob): string {
    return join(this.folder, hash.slice(0, 2), hash.slice(2));
  }

  /** The folders of the first two digits that are there, in order. */
  shelves(): string[] {
    return this.entries("")
      .filter((name) => /^[0-9a-f]{2}$/.test(name))
      .sort();
  }

  /** The blobs of a shelf; `foreign` is called with each file that is none known here. */
  list(shelf: string, foreign: (path: string, isHash: boolean) => void): OldBlob[] {
    const blobs: OldBlob[] = [];
    for (const name of this.entries(shelf)) {
      const hash = shelf + name;
      const isHash = /^[0-9a-f]{30,}$/.test(name);
      const fn = isHash ? functionOfHexLength(hash.length) : undefined;
      if (fn === undefined) foreign(join(this.folder, shelf, name), isHash);
      else blobs.push({ function: fn, hash });
    }
    return blobs;
  }

  /** The number of files in a shelf. */
  count(shelf: string): number {
    return this.entries(shelf).length;
  }

  /** `undefined` where there is no such file. Errors: `corrupt` where that cannot be told. */
  async stat(blob: OldBlob): Promise<Stats | undefined> {
    try {
      return await lstat(this.pathOf(blob));
    } catch (error) {
      return absence(error);
    }
  }

  /** The bytes of a blob of a size that fits memory; `undefined` where there is no such file of this size. Errors: `corrupt` where it cannot be read, `invalid` for what is no file. */
  async read(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = await this.open(digest);
    if (file === undefined) return undefined;
    const { fd, stats } = file;
    try {
      if (stats.size !== digest.size) return undefined;
      const bytes = new Uint8Array(digest.size + 1);
      const count = await readFully(fd, bytes, 0);
      return count === digest.size ? bytes.subarray(0, count) : undefined;
    } catch (error) {
      throw unreadable(error);
    } finally {
      await closeFile(fd);
    }
  }

  /** The bytes of a blob of any size, in pieces, each good until the next is asked for. */
  async *pieces(digest: Digest): AsyncGenerator<Uint8Array> {
    const file = await this.open(digest);
    if (file === undefined) throw new StillageError("corrupt", "it is gone");
    const { fd } = file;
    try {
      const piece = Buffer.allocUnsafe(pieceBytes);
      for (let at = 0; ; ) {
        const count = await readFully(fd, piece, at).catch((error: unknown) => {
          throw unreadable(error);
        });
        if (count === 0) return;
        at += count;
        yield piece.subarray(0, count);
      }
    } finally {
      await closeFile(fd);
    }
  }

  private async open(blob: OldBlob): Promise<{ readonly fd: number; readonly stats: Stats } | undefined> {
    try {
      return await openRegular(this.pathOf(blob));
    } catch (error) {
      return absence(error);
    }
  }

  private entries(shelf: string): string[] {
    return entriesOf(join(this.folder, shelf)).map(({ name }) => name);
  }
}

function absence(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT" && code !== "ENOTDIR") throw unreadable(error);
}

function unreadable(error: unknown): StillageError {
  if (error instanceof StillageError) return error;
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return new StillageError("corrupt", `it cannot be read: ${code}`, { cause: error });
}
