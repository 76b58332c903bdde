import type { Digest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { runningHash } from "../../base/hash.ts";
import { bothSettled, isPromise, type MaybePromise, then } from "../../base/maybe-promise.ts";
import type { StagedBlob } from "../blob-staging.ts";
import type { StagedFile } from "./staged-file.ts";

/** Where the bytes of a staged blob go. */
export interface StagedEnd {
  /** Whether so many bytes may be held in memory; counts them if so, until `release`. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  openFile(): Promise<StagedFile>;
  /** Stores a blob that stayed in memory. */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Makes a blob of the file, or drops it where there is one already. */
  publish(file: StagedFile, digest: Digest): Promise<void>;
}

/**
 * A blob on its way in whose digest is not known yet: in memory while it is small, then in a file of `incoming` that bears no hash until
 * `finish`. A crash before that leaves a file there that no journal lists, and no blob has such a name: the next start deletes it.
 */
export class StagedUpload implements StagedBlob {
  received = 0;
  private readonly function: DigestFunction;
  private readonly smallBytes: number;
  private readonly end: StagedEnd;
  private readonly hash;
  private gathered: Uint8Array[] = [];
  private held = 0;
  private file: StagedFile | undefined;
  private sealed: MaybePromise<Digest> | undefined;
  private ended: Promise<void> | undefined;

  /** Up to `smallBytes` stay in memory, where there is room for them. */
  constructor(fn: DigestFunction, smallBytes: number, end: StagedEnd) {
    this.function = fn;
    this.smallBytes = smallBytes;
    this.end = end;
    this.hash = runningHash(fn);
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.sealed !== undefined || this.ended !== undefined) throw hasEnded();
    this.received += chunk.length;
    if (this.file !== undefined) return this.toFile(this.file, chunk);
    if (this.received <= this.smallBytes && this.end.hold(chunk.length)) {
      this.held += chunk.length;
      const kept = new Uint8Array(chunk);
      this.gathered.push(kept);
      const hashed = this.hash.update(kept);
      return isPromise(hashed) ? hashed.then(() => {}) : undefined;
    }
    return this.spill(chunk);
  }

  seal(): MaybePromise<Digest> {
    if (this.ended !== undefined) throw hasEnded();
    const { function: fn, received: size } = this;
    this.sealed ??= then(this.hash.digest("hex"), (hash) => {
      if (hash === undefined) throw new StillageError("invalid", `${size} bytes are not what ${fn.name} names`);
      return { function: fn, hash, size };
    });
    return this.sealed;
  }

  async finish(): Promise<void> {
    this.ended = this.complete(this.seal());
    await this.ended;
  }

  async abort(): Promise<void> {
    this.ended ??= this.drop();
    await this.ended.catch(() => {}); // finish has told of it
  }

  /** It has become too large for the memory. */
  private async spill(chunk: Uint8Array): Promise<void> {
    const file = await this.end.openFile();
    if (this.ended !== undefined) {
      await file.drop();
      throw hasEnded();
    }
    this.file = file;
    for (const piece of this.gathered) await file.write(piece);
    this.letGo();
    await this.toFile(file, chunk);
  }

  private toFile(file: StagedFile, chunk: Uint8Array): void | Promise<void> {
    const written = file.write(chunk);
    const hashed = this.hash.update(chunk); // while it is being written
    const settled = isPromise(hashed) ? bothSettled(written, hashed) : written;
    return settled?.catch((error) => this.fail(error));
  }

  private async complete(sealed: MaybePromise<Digest>): Promise<void> {
    try {
      const digest = await this.orDrop(sealed);
      if (this.file === undefined) await this.end.put(digest, Buffer.concat(this.gathered, digest.size));
      else await this.end.publish(this.file, digest);
    } catch (error) {
      this.fail(error);
    } finally {
      this.letGo();
    }
  }

  /** What is no blob needs no file. */
  private async orDrop(sealed: MaybePromise<Digest>): Promise<Digest> {
    try {
      return await sealed;
    } catch (error) {
      await this.file?.drop();
      throw error;
    }
  }

  private async drop(): Promise<void> {
    this.hash.close?.();
    this.letGo();
    await this.file?.drop();
  }

  private letGo(): void {
    this.end.release(this.held);
    this.held = 0;
    this.gathered = [];
  }

  private fail(error: unknown): never {
    throw fromFileSystem(error, `cannot store ${this.received} bytes`);
  }
}

function hasEnded(): StillageError {
  return new StillageError("aborted", "the staged blob has ended");
}
