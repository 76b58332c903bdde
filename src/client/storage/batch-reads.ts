import { type Digest, isEmptyBlob } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { hashOf } from "../../base/hash.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { TakeBatch, WholeBlob } from "../blob-place.ts";
import { AskedDigests } from "./asked-digests.ts";
import { decodeBatchRead, type ReadEntry } from "./batch-read-message.ts";
import { cutIntoBatches, entryPatienceMs, fitsBatch } from "./batches.ts";
import { encodeDigestQuestion } from "./digest-question.ts";
import { distinctDigests } from "./find-missing.ts";
import { doAll } from "./lanes.ts";
import { brokenAnswer, decodeAnswer } from "./message-parts.ts";
import {
  casService,
  isPassing,
  isTooLarge,
  isUnimplemented,
  type StorageServer,
  statusError,
} from "./storage-server.ts";
import { readWhole } from "./stream-read.ts";
import { wrongBytes } from "./wrong-bytes.ts";

const doing = "reading small blobs";

/** See BlobSource.readMany. Each digest is given once, however often it is asked for. */
export async function readMany(
  server: StorageServer,
  digests: readonly Digest[],
  take: TakeBatch,
  signal: AbortSignal,
): Promise<Digest[]> {
  const empty = digests.find(isEmptyBlob);
  if (empty !== undefined) await take({ blobs: [{ digest: empty, bytes: new Uint8Array(0) }], memory: undefined });
  const reading = new SmallReads(server, take);
  const wanted = distinctDigests(digests);
  const batched = server.batchReads ? wanted.filter(({ size }) => fitsBatch(size, server.batchBytes)) : [];
  const batches = cutIntoBatches(batched, ({ size }) => size, server.batchBytes);
  const streamed = wanted.filter(({ size }) => !server.batchReads || !fitsBatch(size, server.batchBytes));
  await doAll([...batches, ...streamed.map((digest) => [digest])], server.batches, signal, (batch, stop) => {
    const [first] = batch as [Digest];
    return fitsBatch(first.size, server.batchBytes) ? reading.batch(batch, stop) : reading.stream(first, stop);
  });
  return reading.missing;
}

/** One call of `readMany`. */
class SmallReads {
  readonly missing: Digest[] = [];
  private readonly server: StorageServer;
  private readonly take: TakeBatch;
  /** Those whose bytes were wrong once: on their way, it may be. */
  private readonly doubted = new Set<Digest>();

  constructor(server: StorageServer, take: TakeBatch) {
    this.server = server;
    this.take = take;
  }

  async batch(digests: readonly Digest[], signal: AbortSignal): Promise<void> {
    const { server } = this;
    const retries = server.retries(doing, signal);
    for (let asked = digests; asked.length > 0; ) {
      if (!server.batchReads) return this.streams(asked, signal);
      let response: Uint8Array;
      try {
        const request = encodeDigestQuestion(server.instance, asked);
        const patienceMs = asked.length * entryPatienceMs;
        response = await server.channel.unary(`${casService}/BatchReadBlobs`, request, { signal, patienceMs });
      } catch (error) {
        if (isUnimplemented(error)) server.batchReads = false;
        else if (isTooLarge(error)) return this.halves(asked, signal);
        else await retries.after(error);
        continue;
      }
      const left = await this.takeAll(response, asked);
      await this.streams(left.alone, signal);
      if (left.again.length < asked.length) retries.progressed();
      if (left.again.length > 0 && left.why !== undefined) await retries.after(left.why);
      asked = left.again;
    }
  }

  async stream(digest: Digest, signal: AbortSignal): Promise<void> {
    const bytes = await readWhole(this.server, digest, signal);
    if (bytes === undefined) this.missing.push(digest);
    else await this.take({ blobs: [{ digest, bytes }], memory: undefined });
  }

  private async streams(digests: readonly Digest[], signal: AbortSignal): Promise<void> {
    await doAll(digests, this.server.streams, signal, (digest, stop) => this.stream(digest, stop));
  }

  private async halves(digests: readonly Digest[], signal: AbortSignal): Promise<void> {
    if (digests.length === 1) return this.streams(digests, signal);
    const middle = digests.length >> 1;
    await this.batch(digests.slice(0, middle), signal);
    await this.batch(digests.slice(middle), signal);
  }

  /** Takes what is there; gives those to be asked for again, with why where that is not for once, and those to be read one by one. */
  private async takeAll(response: Uint8Array, asked: readonly Digest[]): Promise<Left> {
    const left = new Set(asked);
    const blobs: WholeBlob[] = [];
    const again: Digest[] = [];
    const alone: Digest[] = [];
    let why: unknown;
    const entries = decodeBatchRead(response, new AskedDigests(asked));
    for (;;) {
      let next: IteratorResult<ReadEntry>;
      try {
        next = decodeAnswer(() => entries.next());
      } catch (error) {
        why ??= error;
        break;
      }
      if (next.done === true) break;
      const { digest, data, status } = next.value;
      if (!left.delete(digest)) continue;
      if (status.code === grpcStatus.notFound) this.missing.push(digest);
      else if (isPassing(status)) {
        again.push(digest);
        why ??= statusError(status);
      } else if (status.code !== grpcStatus.ok) alone.push(digest);
      else if (data.length === digest.size && hashOf(sha256, data) === digest.hash) blobs.push({ digest, bytes: data });
      else {
        this.doubt(digest);
        again.push(digest);
      }
    }
    if (blobs.length > 0) await this.take({ blobs, memory: wholeMemory(response) });
    if (left.size > 0) why ??= brokenAnswer(`${left.size} of ${asked.length} blobs are not in it`);
    return { again: [...again, ...left], alone, why };
  }

  private doubt(digest: Digest): void {
    if (this.doubted.has(digest)) throw wrongBytes(this.server, digest);
    this.doubted.add(digest);
  }
}

/** What a message lies in alone. */
function wholeMemory({ buffer, length }: Uint8Array): ArrayBuffer | undefined {
  return buffer instanceof ArrayBuffer && buffer.byteLength === length ? buffer : undefined;
}

interface Left {
  readonly again: readonly Digest[];
  readonly alone: readonly Digest[];
  readonly why: unknown;
}
