import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { StillageError } from "../base/errors.ts";

const compressWhole = promisify(zstdCompress);
const decompressWhole = promisify(zstdDecompress);

/** Compressor.Value in remote_execution.proto. */
export const identityCompressor = 0;
export const zstdCompressor = 1;

/** Fast and already most of the gain; a cache's clients wait for the answer. */
export const zstdLevel = 1;

/**
 * The largest window that is accepted from a client, as a power of two: 8 MiB, what every level but the `--ultra` and `--long` ones
 * stays within, and what RFC 8878 (section 3.1.1.1.2) asks decoders to support.
 */
export const zstdWindowLog = 23;

export function compress(bytes: Uint8Array): Promise<Buffer> {
  return compressWhole(bytes, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } });
}

/** Decompresses what must come to `size` bytes. Errors: `invalid`, without ever making more than that. */
export async function decompress(bytes: Uint8Array, size: number): Promise<Buffer> {
  try {
    return await decompressWhole(bytes, {
      maxOutputLength: size + 1,
      params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog },
    });
  } catch (error) {
    throw new StillageError("invalid", `the data is not zstd of ${size} bytes`, { cause: error });
  }
}
