import { type Digest, isEmptyBlob, showDigest } from "../../base/digest.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { WholeBlob } from "../blob-place.ts";
import { AskedDigests } from "./asked-digests.ts";
import { decodeBatchUpdate, encodeBatchUpdate } from "./batch-update-message.ts";
import { cutIntoBatches, entryPatienceMs, fitsBatch } from "./batches.ts";
import { doAll } from "./lanes.ts";
import { type BlobStatus, brokenAnswer, decodeAnswer } from "./message-parts.ts";
import {
  casService,
  checkFunction,
  isPassing,
  isTooLarge,
  isUnimplemented,
  refusesBytes,
  type StorageServer,
  statusError,
} from "./storage-server.ts";
import { writeStream } from "./stream-write.ts";
import { refusedBytes } from "./wrong-bytes.ts";

const doing = "writing small blobs";

/** See BlobSink.writeMany. Settles once the server has acknowledged each. */
export async function writeMany(
  server: StorageServer,
  blobs: readonly WholeBlob[],
  signal: AbortSignal,
): Promise<void> {
  const distinct = new Map<string, WholeBlob>();
  for (const blob of blobs) {
    checkFunction(blob.digest);
    if (!isEmptyBlob(blob.digest)) distinct.set(blob.digest.hash, blob);
  }
  const wanted = [...distinct.values()];
  const fits = ({ digest }: WholeBlob): boolean => fitsBatch(digest.size, server.batchBytes);
  const batches = cutIntoBatches(wanted.filter(fits), ({ digest }) => digest.size, server.batchBytes);
  const streamed = wanted.filter((blob) => !fits(blob)).map((blob) => [blob]);
  await doAll([...batches, ...streamed], server.batches, signal, (batch, stop) =>
    fits(batch[0] as WholeBlob) ? writeBatch(server, batch, stop) : writeAlone(server, batch, stop),
  );
}

async function writeBatch(server: StorageServer, blobs: readonly WholeBlob[], signal: AbortSignal): Promise<void> {
  const retries = server.retries(doing, signal);
  /** Those that were refused once: their bytes may have been damaged on the way. */
  const doubted = new Set<Digest>();
  for (let left = blobs; left.length > 0; ) {
    if (!server.batchUpdates) return writeAlone(server, left, signal);
    let statuses: Map<Digest, BlobStatus>;
    try {
      const request = encodeBatchUpdate(server.instance, left);
      const asked = new AskedDigests(left.map(({ digest }) => digest));
      const patienceMs = left.length * entryPatienceMs;
      const response = await server.channel.unary(`${casService}/BatchUpdateBlobs`, request, { signal, patienceMs });
      statuses = decodeAnswer(() => decodeBatchUpdate(response, asked));
    } catch (error) {
      if (isUnimplemented(error)) server.batchUpdates = false;
      else if (isTooLarge(error)) return writeHalves(server, left, signal, error);
      else await retries.after(error);
      continue;
    }
    let why: unknown;
    const again: WholeBlob[] = [];
    for (const blob of left) {
      const status = statuses.get(blob.digest);
      if (status !== undefined && (status.code === grpcStatus.ok || status.code === grpcStatus.alreadyExists)) continue;
      again.push(blob);
      if (status === undefined) why ??= brokenAnswer(`it says nothing of ${showDigest(blob.digest)}`);
      else if (isPassing(status)) why ??= statusError(status);
      else if (!refusesBytes(status)) throw await server.failure(statusError(status), doing, signal);
      else if (doubted.has(blob.digest)) throw refusedBytes(server, blob.digest, status.message);
      else doubted.add(blob.digest);
    }
    if (again.length < left.length) retries.progressed();
    if (why !== undefined) await retries.after(why);
    left = again;
  }
}

async function writeAlone(server: StorageServer, blobs: readonly WholeBlob[], signal: AbortSignal): Promise<void> {
  await doAll(blobs, server.streams, signal, ({ digest, bytes }, stop) => {
    async function* content(offset: number): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(offset);
    }
    return writeStream(server, digest, content, stop);
  });
}

async function writeHalves(
  server: StorageServer,
  blobs: readonly WholeBlob[],
  signal: AbortSignal,
  error: unknown,
): Promise<void> {
  // A server that is full says the same of any batch, and of a stream too.
  if (blobs.length === 1) return writeAlone(server, blobs, signal);
  const middle = blobs.length >> 1;
  if (error instanceof RpcError && isFull(error)) throw await server.failure(error, doing, signal);
  await writeBatch(server, blobs.slice(0, middle), signal);
  await writeBatch(server, blobs.slice(middle), signal);
}

/** A server without room says so of a disk or a quota; what is too large is said of a message. */
const isFull = ({ message }: RpcError): boolean => !/larger|too large|message|size|exceed/i.test(message);
