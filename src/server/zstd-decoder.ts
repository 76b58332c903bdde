import { pipeline } from "node:stream/promises";
import { constants, createZstdDecompress, type ZstdDecompress } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { zstdWindowLog } from "./zstd.ts";

/** Decompresses what comes in pieces into `sink`, which bounds how much it takes. No more than some pieces are under way. */
export class ZstdDecoder {
  private readonly stream: ZstdDecompress;
  private readonly done: Promise<void>;

  constructor(sink: (chunk: Uint8Array) => MaybePromise<void>) {
    this.stream = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
    this.done = pipeline(this.stream, async (source) => {
      for await (const chunk of source) await sink(chunk);
    });
    this.done.catch(() => {}); // told to whoever writes or ends
  }

  /** Resolves when `chunk` is free for other use. Errors: the sink's, and `invalid` for what is not zstd. */
  async write(chunk: Uint8Array): Promise<void> {
    // After bad data the stream calls nobody back: its end is the answer then.
    const taken = new Promise<void>(
      (resolve) => void this.stream.write(chunk, (error) => (error ? undefined : resolve())),
    );
    await Promise.race([taken, this.settled()]);
  }

  /** Resolves when the sink has everything. */
  async end(): Promise<void> {
    this.stream.end();
    await this.settled();
  }

  destroy(): void {
    this.stream.destroy();
  }

  private async settled(): Promise<void> {
    try {
      await this.done;
    } catch (error) {
      if (error instanceof StillageError) throw error;
      throw new StillageError("invalid", "the data is not zstd, or its end is missing", { cause: error });
    }
  }
}
