import { showDigest } from "../../base/digest.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import type { ResumableUploads, UploadTurn } from "../../cache/uploads.ts";
import type { CallStream } from "../../rpc/service.ts";
import type { BlobStore } from "../../store/blob-store.ts";
import { checkBlobSize } from "../blob-limit.ts";
import { parseWriteName, type WriteName } from "../resource-name.ts";
import { reach } from "../rights.ts";
import { decodeWriteRequest, encodeWriteResponse, type WriteRequest } from "../wire/byte-stream.ts";
import { ZstdDecoder } from "../zstd-decoder.ts";
import type { ByteStreamOptions } from "./byte-stream.ts";

/**
 * ByteStream.Write. Answers at once where the blob is there already; otherwise once it is durable. An upload that is cut
 * by a lost connection is kept for a while and goes on where QueryWriteStatus says.
 */
export async function writeBlob(stream: CallStream, options: ByteStreamOptions): Promise<void> {
  const message = await stream.receive();
  if (message === undefined) throw new StillageError("invalid", "a Write without a message");
  const first = decodeWriteRequest(message);
  stream.subject = first.resourceName;
  const name = parseWriteName(first.resourceName);
  const { digest } = name;
  const { blobs } = reach(options.tenants, stream, name.instance, "push");
  checkBlobSize(digest.size, options.maxBlobBytes);
  if ((await blobs.missing(DigestList.of(digest))).length === 0) {
    return answer(stream, name.compression === "identity" ? digest.size : -1);
  }
  const place = options.admission.upload(stream);
  try {
    await receiveBlob(stream, first, name, blobs, options.uploads);
  } finally {
    place.leave();
  }
}

async function receiveBlob(
  stream: CallStream,
  first: WriteRequest,
  name: WriteName,
  blobs: BlobStore,
  uploads: ResumableUploads,
): Promise<void> {
  const turn = await uploads.open(blobs, name, first.writeOffset);
  let received: number | undefined;
  try {
    received = await receiveAll(stream, first, name, turn);
    if (received !== undefined) await turn.finish();
  } catch (error) {
    await (stream.signal.aborted ? uploads.suspend(turn) : uploads.close(turn));
    throw error;
  }
  if (received === undefined) {
    // Some clients say that they have ended just before they cancel.
    await uploads.suspend(turn);
    throw new StillageError("invalid", `${showDigest(name.digest)}: the write ended without finish_write`);
  }
  await uploads.close(turn);
  // The bytes as sent: what Bazel and Buck2 compare with, compressed or not.
  await answer(stream, received);
}

function answer(stream: CallStream, committed: number): void | Promise<void> {
  return stream.send({ parts: [encodeWriteResponse(committed)] });
}

/**
 * Takes the data of every message up to the one that finishes the write. Returns the bytes that came, as they came; `undefined` where no
 * message finishes it.
 */
async function receiveAll(
  stream: CallStream,
  first: WriteRequest,
  name: WriteName,
  turn: UploadTurn,
): Promise<number | undefined> {
  const sink = name.compression === "zstd" ? new ZstdDecoder((chunk) => turn.write(chunk)) : turn;
  const begin = first.writeOffset;
  let expected = begin;
  let request = first;
  try {
    for (;;) {
      if (request.writeOffset !== expected) refuseOffset(request.writeOffset, expected);
      expected += request.data.length;
      const written = sink.write(request.data);
      if (isPromise(written)) await written;
      if (request.finishWrite) break;
      const received = stream.receive();
      const message = isPromise(received) ? await received : received;
      if (message === undefined) return undefined;
      request = decodeWriteRequest(message);
      if (request.resourceName !== "" && request.resourceName !== first.resourceName) {
        throw new StillageError("invalid", "the resource name changed within one write");
      }
    }
    if (sink instanceof ZstdDecoder) await sink.end();
  } finally {
    if (sink instanceof ZstdDecoder) sink.destroy();
  }
  return expected - (name.compression === "zstd" ? begin : 0);
}

function refuseOffset(offset: number, expected: number): never {
  throw new StillageError("invalid", `write_offset is ${offset}, not ${expected} where the data before it ended`);
}
