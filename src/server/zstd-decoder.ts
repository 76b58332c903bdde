import { pipeline } from "node:stream/promises";
import { constants, createZstdDecompress, type ZstdDecompress } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { zstdWindowLog } from "./zstd.ts";

/** Decompresses what comes in pieces into `sink`, which bounds how much it takes. No more than some pieces are under way. */
export class ZstdDecoder {
  private readonly stream: ZstdDecompress;
  private readonly done: Promise<void>;
  private ended = false;
  private given = 0;
  /** Ends the wait of the write in progress. */
  private wake: () => void = () => {};

  constructor(sink: (chunk: Uint8Array) => MaybePromise<void>) {
    this.stream = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
    this.done = pipeline(this.stream, async (source) => {
      for await (const chunk of source) await sink(chunk);
    });
    const stop = (): void => {
      this.ended = true;
      this.wake();
    };
    // Once for all writes: a reaction of each would stay with the promise until the end. A failure is told to whoever writes or ends.
    this.done.then(stop, stop);
  }

  /** Resolves when `chunk` is free for other use. Errors: the sink's, and `invalid` for what is not zstd. */
  async write(chunk: Uint8Array): Promise<void> {
    this.given += chunk.length;
    if (!this.ended) await this.taken(chunk);
    if (this.ended) await this.settled();
  }

  /** Resolves when the sink has everything. */
  async end(): Promise<void> {
    this.stream.end();
    await this.settled();
  }

  destroy(): void {
    this.stream.destroy();
  }

  /** After bad data the stream calls nobody back: its end is the answer then. */
  private taken(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.stream.write(chunk, (error) => (error ? undefined : resolve()));
    });
  }

  private async settled(): Promise<void> {
    try {
      await this.done;
    } catch (error) {
      if (error instanceof StillageError) throw error;
      throw new StillageError("invalid", "the data is not zstd, or its end is missing", { cause: error });
    }
    // The stream ends well in front of what begins no frame.
    if (this.given > this.stream.bytesWritten) {
      throw new StillageError("invalid", "something that is not zstd follows the compressed data");
    }
  }
}
