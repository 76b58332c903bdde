import { rename, unlink } from "node:fs/promises";
import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { BlobFile, NewFile } from "./blob-files.ts";
import type { FilePaths } from "./file-paths.ts";
import type { PieceWriter } from "./piece-writer.ts";
import type { Space } from "./space.ts";

/** Room is reserved in steps of this size while a file of unknown length grows. */
const stepBytes = 16 << 20;

export interface StagedFileParts {
  /** Its name while it has none: a hash that no blob has. */
  readonly nameless: BlobFile;
  readonly pieces: PieceWriter;
  readonly paths: FilePaths;
  readonly space: Space;
  /** What a blob of a size takes on the disk. */
  readonly room: (size: number) => number;
  /** Makes the names in `incoming` durable; `publish` tells where that fails. */
  readonly syncNames: () => Promise<void>;
}

/** A file that grows to an unknown length, to become a blob whose digest is not known either. */
export class StagedFile {
  private readonly parts: StagedFileParts;
  private length = 0;
  private reserved = 0;
  private gone = false;

  constructor(parts: StagedFileParts) {
    this.parts = parts;
  }

  /** Takes the next bytes, which are free for other use once this settles. Errors: `exhausted`, and those of the file system. */
  write(chunk: Uint8Array): void | Promise<void> {
    const needed = this.parts.room(this.length + chunk.length);
    const waiting = needed > this.reserved ? this.reserve(needed) : undefined;
    const write = (): void | Promise<void> => {
      if (this.gone) throw new StillageError("aborted", "the staged blob has ended");
      this.length += chunk.length;
      return this.parts.pieces.write(chunk);
    };
    return waiting === undefined ? write() : waiting.then(write);
  }

  /**
   * Gives the file its blob's name, and to the caller with the room that such a blob takes: it is published or dropped as any other from
   * then on. A crash before or after the name changes leaves a file in `incoming` that is not listed: deleted.
   */
  async name(digest: Digest): Promise<NewFile> {
    const { nameless, pieces, paths, space, room, syncNames } = this.parts;
    await pieces.finish();
    await pieces.close();
    const file = { digest, serial: nameless.serial };
    await rename(paths.arriving(nameless), paths.arriving(file));
    this.gone = true;
    space.giveBack(this.reserved - room(digest.size));
    return { ...file, path: paths.arriving(file), pieces, named: syncNames() };
  }

  /** Deletes it; nothing happens once it has a name, or the second time. */
  async drop(): Promise<void> {
    const { nameless, pieces, paths, space } = this.parts;
    const { gone } = this;
    this.gone = true;
    await pieces.close();
    if (gone) return;
    await unlink(paths.arriving(nameless)).catch(() => {}); // else the next start does it
    space.giveBack(this.reserved);
  }

  /** A step at a time where the quota has room for that, else what is needed. */
  private reserve(needed: number): void | Promise<void> {
    const { space } = this.parts;
    const missing = needed - this.reserved;
    const step = Math.max(missing, stepBytes);
    const taken = space.quota !== undefined && space.used + step > space.quota ? missing : step;
    const waiting = space.take(taken);
    const count = (): void => {
      if (this.gone) space.giveBack(taken);
      else this.reserved += taken;
    };
    return waiting === undefined ? count() : waiting.then(count);
  }
}
