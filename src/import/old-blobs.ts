import { lstatSync, type Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { closeFile, readFully } from "../store/disk/file-io.ts";
import { openRegular } from "../store/disk/regular-file.ts";
import { verifyAnyBlob } from "../store/verify-blob.ts";
import type { BlobFile, BlobPlace, OldBlob } from "./blob-place.ts";
import { entriesOf } from "./entries.ts";

/** Pieces in which large blobs are read. */
const pieceBytes = 1 << 20;

/** A blob's file, as it was found. */
export interface FoundBlob extends BlobFile {
  readonly stats: Stats;
}

/** One of 256 folders of a place. */
export interface OldShelf {
  readonly place: BlobPlace;
  /** The first two digits. */
  readonly name: string;
}

/** The blobs of an old server, each a file. */
export class OldBlobs {
  private readonly places: readonly BlobPlace[];

  constructor(places: readonly BlobPlace[]) {
    this.places = places;
  }

  /** Where a blob is, or would be. */
  pathOf(blob: OldBlob): string {
    const paths = this.filesOf(blob).map(({ path }) => path);
    return paths.find((path) => lstatSync(path, { throwIfNoEntry: false })) ?? paths[0] ?? blob.hash;
  }

  /** The shelves that are there, in order. */
  shelves(): OldShelf[] {
    return this.places.flatMap((place) =>
      entriesOf(place.folder)
        .filter(({ name }) => /^[0-9a-f]{2}$/.test(name))
        .map(({ name }) => ({ place, name }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }

  /** The blobs of a shelf; `others` is called with each file that is none known here. */
  list({ place, name: shelf }: OldShelf, others: (path: string, isForeign: boolean) => void): OldBlob[] {
    const blobs: OldBlob[] = [];
    for (const name of namesIn(place, shelf)) {
      const read = place.read(shelf, name);
      if (typeof read === "object") blobs.push(read);
      else if (read !== "beside") others(join(place.folder, shelf, name), read === "foreign");
    }
    return blobs;
  }

  /** The number of files in a shelf that should be blobs. */
  count({ place, name: shelf }: OldShelf): number {
    return namesIn(place, shelf).filter((name) => place.read(shelf, name) !== "beside").length;
  }

  /** A blob's file; `undefined` where there is none. Errors: `corrupt` where that cannot be told. */
  async find(blob: OldBlob): Promise<FoundBlob | undefined> {
    for (const file of this.filesOf(blob)) {
      const stats = await lstat(file.path).catch(absence);
      if (stats !== undefined) return { ...file, stats };
    }
    return undefined;
  }

  /**
   * The bytes of a blob of a size that fits memory, verified; `undefined` where there is no such file of this size.
   * Errors: `corrupt` where it cannot be read, `invalid` for what it is not.
   */
  async read(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = await this.open(digest);
    if (file === undefined) return undefined;
    const { fd, stats, check } = file;
    let whole: Uint8Array<ArrayBuffer>;
    try {
      if (stats.size !== digest.size) return undefined;
      const bytes = new Uint8Array(digest.size + 1);
      if ((await readFully(fd, bytes, 0)) !== digest.size) return undefined;
      whole = bytes.subarray(0, digest.size);
    } catch (error) {
      throw unreadable(error);
    } finally {
      await closeFile(fd);
    }
    await verifyAnyBlob(digest, whole);
    check?.(whole);
    return whole;
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

  private async open(blob: OldBlob): Promise<(FoundBlob & { readonly fd: number }) | undefined> {
    for (const file of this.filesOf(blob)) {
      const opened = await openRegular(file.path).catch(absence);
      if (opened !== undefined) return { ...file, ...opened };
    }
    return undefined;
  }

  private filesOf(blob: OldBlob): readonly BlobFile[] {
    return this.places.flatMap((place) => place.filesOf(blob));
  }
}

function namesIn({ folder }: BlobPlace, shelf: string): string[] {
  return entriesOf(join(folder, shelf)).map(({ name }) => name);
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
