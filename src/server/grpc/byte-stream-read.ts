import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { BufferPool } from "../../base/buffer-pool.ts";
import { showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import type { Tenants } from "../../cache/tenant.ts";
import type { CallStream } from "../../rpc/service.ts";
import type { Blob } from "../../store/blob-store.ts";
import { parseReadName } from "../resource-name.ts";
import { reach } from "../rights.ts";
import { decodeReadRequest, type ReadRequest, readResponseHead } from "../wire/byte-stream.ts";
import { zstdLevel } from "../zstd.ts";

/** Data in one ReadResponse: large enough to be cheap, and small enough that a client hashes it while it is in its cache. */
const chunkBytes = 256 << 10;

/** Idle chunk buffers that are kept. */
const chunks = new BufferPool(chunkBytes, 64);

const fullChunkHead = readResponseHead(chunkBytes);

/** ByteStream.Read: from an offset, up to a limit; `compressed-blobs/zstd` from an offset of uncompressed bytes. */
export async function readBlob(stream: CallStream, tenants: Tenants): Promise<void> {
  const message = await stream.receive();
  if (message === undefined) throw new StillageError("invalid", "a Read without a message");
  const request = decodeReadRequest(message);
  stream.subject = request.resourceName;
  const { instance, compression, digest } = parseReadName(request.resourceName);
  const { blobs } = reach(tenants, stream, instance, "pull");
  const blob = await blobs.open(digest);
  if (blob === undefined) throw new StillageError("not-found", `${showDigest(digest)} is not in this cache`);
  try {
    const end = rangeEnd(request, digest.size);
    if (compression === "identity") await sendPlain(stream, blob, request.readOffset, end);
    else await sendCompressed(stream, blob, request);
  } finally {
    blob.close();
  }
}

function rangeEnd({ readOffset, readLimit }: ReadRequest, size: number): number {
  if (readOffset > size)
    throw new StillageError("out-of-range", `read_offset is not within the ${size} bytes of the blob`);
  if (readLimit === Number.POSITIVE_INFINITY)
    throw new StillageError("invalid", "read_limit is negative or no number of bytes");
  return readLimit === 0 ? size : Math.min(size, readOffset + readLimit);
}

async function sendPlain(stream: CallStream, blob: Blob, start: number, end: number): Promise<void> {
  for (let at = start; at < end; at += chunkBytes) {
    const length = Math.min(chunkBytes, end - at);
    const buffer = chunks.take();
    const data = length === chunkBytes ? buffer : buffer.subarray(0, length);
    const read = blob.read(data, at);
    if (isPromise(read)) await read;
    const head = length === chunkBytes ? fullChunkHead : readResponseHead(length);
    const sent = stream.send({ parts: [head, data], sent: () => chunks.give(buffer) });
    if (isPromise(sent)) await sent;
  }
}

async function sendCompressed(stream: CallStream, blob: Blob, { readOffset, readLimit }: ReadRequest): Promise<void> {
  if (readLimit !== 0) throw new StillageError("invalid", "read_limit must be 0 where the answer is compressed");
  async function* plain(): AsyncGenerator<Uint8Array> {
    for (let at = readOffset; at < blob.digest.size; at += chunkBytes) {
      const data = Buffer.allocUnsafe(Math.min(chunkBytes, blob.digest.size - at));
      await blob.read(data, at);
      yield data;
    }
  }
  const compressor = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } });
  await pipeline(Readable.from(plain()), compressor, async (source) => {
    for await (const data of source) await stream.send({ parts: [readResponseHead(data.length), data] });
  });
}
