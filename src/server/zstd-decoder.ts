import { pipeline } from "node:stream/promises";
import { constants, createZstdDecompress, type ZstdDecompress } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { zstdWindowLog } from "./zstd.ts";

type Sink = (chunk: Uint8Array) => MaybePromise<void>;

/**
 * Decompresses frames of zstd (RFC 8878) that come in pieces: each goes to `sink` decompressed, and the next is taken once the sink has
 * it. Never holds more than a piece and a window.
 */
export class ZstdDecoder {
  private readonly sink: Sink;
  private stream: FrameStream;

  constructor(sink: Sink) {
    this.sink = sink;
    this.stream = new FrameStream(sink);
  }

  /** Resolves when `chunk` is free for other use. Errors: the sink's, and `invalid` for what is not zstd. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = await this.stream.write(rest);
      if (taken === rest.length) return;
      // Node 24 ends a stream with the first frame, later ones only before what is none: what follows has to begin a frame.
      await this.stream.settled();
      if (taken === 0 && this.stream.fresh) throw notZstd();
      rest = rest.subarray(taken);
      this.stream = new FrameStream(this.sink);
    }
  }

  /** Resolves when the sink has everything. */
  async end(): Promise<void> {
    await this.stream.end();
  }

  /** Lets go of the memory, also in the middle. */
  destroy(): void {
    this.stream.destroy();
  }
}

/** One stream of node:zlib, which may end before what it is given does. */
class FrameStream {
  private readonly stream: ZstdDecompress;
  private readonly done: Promise<void>;
  private ended = false;
  /** Ends the wait of the write in progress. */
  private wake: () => void = () => {};

  constructor(sink: Sink) {
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

  /** Whether nothing has been taken yet. */
  get fresh(): boolean {
    return this.stream.bytesWritten === 0;
  }

  /** Resolves to the bytes that were taken; fewer than there are once the stream has ended. */
  async write(chunk: Uint8Array): Promise<number> {
    const before = this.stream.bytesWritten;
    if (!this.ended) await this.taken(chunk);
    if (this.ended) await this.settled();
    return this.stream.bytesWritten - before;
  }

  async end(): Promise<void> {
    this.stream.end();
    await this.settled();
  }

  destroy(): void {
    this.stream.destroy();
  }

  /** Resolves when the sink has everything of a stream that has ended. */
  async settled(): Promise<void> {
    try {
      await this.done;
    } catch (error) {
      if (error instanceof StillageError) throw error;
      throw notZstd(error);
    }
  }

  /** After its end the stream calls nobody back: that is the answer then. */
  private taken(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.stream.write(chunk, (error) => (error ? undefined : resolve()));
    });
  }
}

function notZstd(cause?: unknown): StillageError {
  return new StillageError("invalid", "the data is not zstd, or its end is missing", { cause });
}
