import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import { RunningOstreeHash } from "../../base/ostree-hash.ts";
import type { Checksum } from "../../ostree/object-name.ts";
import type { Blob } from "../../store/blob-store.ts";

/** An object that is at hand. */
export function wholeObject(digest: Digest, bytes: Uint8Array): Blob {
  return {
    digest,
    read: (buffer, position) => buffer.set(bytes.subarray(position, position + buffer.length)),
    close: () => {},
  };
}

/** Where a file object is being read. */
interface Reading {
  readonly pieces: AsyncIterator<Uint8Array>;
  readonly hash: RunningOstreeHash;
  at: number;
  /** What came and was not read yet. */
  rest: Uint8Array;
}

/**
 * A file object that comes from elsewhere while it is read, in order: a read from before where the last one ended begins anew. It is verified as a whole: the read that gives its
 * last byte fails where the bytes are not those of its checksum. `start`: how it begins, which tells what it is without asking.
 */
export class StreamedObject implements Blob {
  readonly digest: Digest;
  private readonly start: Uint8Array;
  private readonly open: () => Promise<AsyncIterable<Uint8Array> | undefined>;
  private reading: Reading | undefined;

  constructor(digest: Digest, start: Uint8Array, open: () => Promise<AsyncIterable<Uint8Array> | undefined>) {
    this.digest = digest;
    this.start = start;
    this.open = open;
  }

  /** Errors: `corrupt`. */
  static async verify(checksum: Checksum, bytes: Uint8Array): Promise<void> {
    const hash = new RunningOstreeHash();
    try {
      const taken = hash.update(bytes);
      if (isPromise(taken)) await taken;
      if ((await hash.digest()) === checksum) return;
    } catch (error) {
      if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
      throw wrong(checksum, error);
    } finally {
      hash.close();
    }
    throw wrong(checksum);
  }

  async read(buffer: Uint8Array, position: number): Promise<void> {
    if (this.reading === undefined && position + buffer.length <= this.start.length && position === 0) {
      buffer.set(this.start.subarray(0, buffer.length));
      return;
    }
    if (this.reading === undefined || position < this.reading.at) await this.begin();
    const { reading } = this;
    if (reading === undefined) throw gone(this.digest);
    while (reading.at < position) await this.take(reading, position - reading.at);
    for (let filled = 0; filled < buffer.length; ) {
      const piece = await this.take(reading, buffer.length - filled);
      buffer.set(piece, filled);
      filled += piece.length;
    }
    if (reading.at === this.digest.size) await this.finish(reading);
  }

  close(): void {
    const { reading } = this;
    this.reading = undefined;
    reading?.hash.close();
    void reading?.pieces.return?.()?.catch(() => {}); // nobody reads any more
  }

  private async begin(): Promise<void> {
    this.close();
    const content = await this.open();
    if (content === undefined) throw gone(this.digest);
    const pieces = content[Symbol.asyncIterator]();
    this.reading = { pieces, hash: new RunningOstreeHash(), at: 0, rest: new Uint8Array() };
  }

  /** Some of the next bytes, at most so many. */
  private async take(reading: Reading, most: number): Promise<Uint8Array> {
    while (reading.rest.length === 0) {
      const { done, value } = await reading.pieces.next();
      if (done) throw wrong(this.digest.hash, new Error("it ends too soon"));
      await this.guarded(() => reading.hash.update(value));
      reading.rest = value;
    }
    const piece = reading.rest.subarray(0, most);
    reading.rest = reading.rest.subarray(piece.length);
    reading.at += piece.length;
    return piece;
  }

  private async finish({ hash, pieces, rest }: Reading): Promise<void> {
    if (rest.length > 0 || (await pieces.next()).done !== true) throw wrong(this.digest.hash);
    if ((await this.guarded(() => hash.digest())) !== this.digest.hash) throw wrong(this.digest.hash);
  }

  /** What cannot be hashed is no file object. */
  private async guarded<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
      throw wrong(this.digest.hash, error);
    }
  }
}

function wrong(checksum: Checksum, cause?: unknown): StillageError {
  return new StillageError("corrupt", `the file ${checksum} has other bytes than its checksum says`, { cause });
}

function gone({ hash }: Digest): StillageError {
  return new StillageError("not-found", `the file ${hash} is not there any more`);
}
