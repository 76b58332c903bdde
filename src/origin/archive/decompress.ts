import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { StillageError } from "../../base/errors.ts";
import { badArchive } from "../../base/tar/archive-error.ts";
import { throughProgram } from "./program.ts";

export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

/** The largest window that `zstd` itself takes without being told to, as a power of two: 128 MiB. */
const zstdWindowLog = 27;

/** What `xz -9` needs to decompress is 65 MiB. */
const xzMemory = "--memlimit-decompress=128MiB";

const marks: readonly (readonly [compression: Compression, mark: readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** How bytes are compressed, from the first of them. */
export function compressionOf(head: Uint8Array): Compression {
  return marks.find(([, mark]) => mark.every((byte, i) => head[i] === byte))?.[0] ?? "none";
}

/**
 * The bytes that `source` was before it was compressed. gzip and zstd are node:zlib's; for xz and bzip2 there are the programs of that name,
 * as for tar itself. Errors: `failed-precondition`; the signal's reason.
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return source;
    case "gzip":
      return through(Readable.from(source), createGunzip(), signal, { padding: true });
    case "zstd":
      return through(
        Readable.from(source),
        createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } }),
        signal,
      );
    case "xz":
      return throughProgram("xz", ["--decompress", "--stdout", "--quiet", "--threads=1", xzMemory], source, signal);
    case "bzip2":
      return throughProgram("bzip2", ["--decompress", "--stdout", "--quiet"], source, signal);
  }
}

/** What `decoder` makes of `source`, which has to be all of it; of gzip, but for zero bytes behind its end, as on tapes: node:zlib checks them. */
export async function* through(
  source: Readable,
  decoder: Duplex & { readonly bytesWritten: number },
  signal: AbortSignal,
  { padding = false } = {},
): AsyncGenerator<Uint8Array> {
  let given = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      given += chunk.length;
      yield chunk;
    }
  };
  const done = pipeline(source, counted, decoder, { signal });
  done.catch(() => {}); // reading tells of it
  try {
    for await (const chunk of decoder) yield chunk as Uint8Array;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StillageError) throw error;
    throw badArchive("its compression is broken", error);
  } finally {
    decoder.destroy();
    source.destroy();
  }
  if (!padding && decoder.bytesWritten !== given) throw badArchive("there is something else behind its end");
}
