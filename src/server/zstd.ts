import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import { Slots } from "../cache/slots.ts";

const compressWhole = promisify(zstdCompress);
const decompressWhole = promisify(zstdDecompress);

/** Compressor.Value in remote_execution.proto. */
export const identityCompressor = 0;
export const zstdCompressor = 1;

/** Smaller blobs hardly shrink. */
export const worthCompressing = 256;

/** Fast and already most of the gain; a cache's clients wait for the answer. */
export const zstdLevel = 1;

/**
 * The largest window that is accepted from a client, as a power of two: 8 MiB, what every level but the `--ultra` and `--long` ones
 * stays within, and what RFC 8878 (section 3.1.1.1.2) asks decoders to support.
 */
export const zstdWindowLog = 23;

/**
 * Blobs of batches that are decompressed at the same time, over all calls: two for each thread that node:zlib has. A decoder takes some
 * 100 KiB beside its window, and a batch may have tens of thousands of entries.
 */
export const maxDecoders = 8;

const decoders = new Slots(maxDecoders);

/** What `info` makes of zlib's answer. */
interface WithEngine {
  readonly buffer: Buffer;
  /** `bytesWritten` are the bytes that were taken. */
  readonly engine: { readonly bytesWritten: number };
}

export function compress(bytes: Uint8Array): Promise<Buffer> {
  return compressWhole(bytes, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } });
}

/** Decompresses what must come to `size` bytes. Errors: `invalid`, without ever making more than that. */
export function decompress(bytes: Uint8Array, size: number): Promise<Buffer> {
  return decoders.run(async () => {
    const pieces: Buffer[] = [];
    let made = 0;
    // Node 24 takes a frame at a time, later ones all that follow one another.
    for (let rest = bytes; rest.length > 0; ) {
      const { buffer, engine } = await decompressFrames(rest, size - made);
      if (engine.bytesWritten === 0) throw new StillageError("invalid", `the data is not zstd of ${size} bytes`);
      pieces.push(buffer);
      made += buffer.length;
      rest = rest.subarray(engine.bytesWritten);
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  });
}

/** Decompresses frames from the first on: all, or as many as Node takes at a time. */
async function decompressFrames(bytes: Uint8Array, size: number): Promise<WithEngine> {
  const options = {
    maxOutputLength: size + 1,
    params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog },
    info: true,
  };
  try {
    return (await decompressWhole(bytes, options)) as unknown as WithEngine; // the types know nothing of `info`
  } catch (error) {
    throw new StillageError("invalid", `the data is not zstd of ${size} bytes`, { cause: error });
  }
}
