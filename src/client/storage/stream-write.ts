import { randomUUID } from "node:crypto";
import { type Digest, isEmptyBlob, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { untilAborted } from "../../base/until-aborted.ts";
import type { ClientCall } from "../../rpc/client/call.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { Retries } from "../connection/retries.ts";
import { cancelled } from "../connection/rpc-failure.ts";
import { committedSize, encodeQueryWriteStatus, writeRequestHead, writeStatus } from "./byte-stream-message.ts";
import { brokenAnswer, decodeAnswer } from "./message-parts.ts";
import {
  bytePatienceMs,
  byteStreamService,
  checkFunction,
  isUnimplemented,
  progressBytes,
  type StorageServer,
} from "./storage-server.ts";
import { uploadName } from "./upload-name.ts";
import { refusedBytes } from "./wrong-bytes.ts";

/** Bytes in one message: a server's buffer holds it, and four fill the usual limit of a message. */
const maxPieceBytes = 1 << 20;

/** Of smaller blobs nobody is asked how much of them is there: sending them again costs hardly more. */
const askedBytes = 4 << 20;

/** Reading failed where the bytes come from: no fault of the server's, so never tried again here. */
class ContentFailure extends Error {}

/** What servers say of bytes that are not those of the digest, and of an offset that is not where the upload ends. BuildStream's of 1.x says the last. */
const refusing = new Set<number>([grpcStatus.invalidArgument, grpcStatus.outOfRange, grpcStatus.failedPrecondition]);

type Content = (offset: number) => AsyncIterable<Uint8Array>;

/** See BlobSink.write. A call that breaks is gone on with where the server says, of an earlier process too; from the beginning where it does not. */
export async function writeStream(
  server: StorageServer,
  digest: Digest,
  content: Content,
  signal: AbortSignal,
): Promise<void> {
  checkFunction(digest);
  if (isEmptyBlob(digest)) return;
  const { maxBlobBytes, spec } = server;
  if (maxBlobBytes > 0 && digest.size > maxBlobBytes) {
    throw new StillageError(
      "exhausted",
      `${spec.name} takes no blobs of more than ${maxBlobBytes} bytes, and ${showDigest(digest)} is one`,
    );
  }
  const first = server.writes.get(digest.hash);
  if (first !== undefined && (await written(first, signal))) return;
  const writing = new StreamWrite(server, digest, content, signal).run();
  server.writes.set(digest.hash, writing);
  try {
    await writing;
  } finally {
    if (server.writes.get(digest.hash) === writing) server.writes.delete(digest.hash);
  }
}

/** Whether somebody else has written it; what failed for them need not fail for us. */
async function written(first: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const outcome = first.then(
    () => true,
    () => false,
  );
  try {
    return await untilAborted(outcome, signal);
  } catch {
    throw cancelled(signal);
  }
}

class StreamWrite {
  private readonly server: StorageServer;
  private readonly digest: Digest;
  private readonly content: Content;
  private readonly signal: AbortSignal;
  private readonly retries: Retries;
  private name: string;
  private doubted = false;

  constructor(server: StorageServer, digest: Digest, content: Content, signal: AbortSignal) {
    this.server = server;
    this.digest = digest;
    this.content = content;
    this.signal = signal;
    this.retries = server.retries(`writing ${showDigest(digest)}`, signal);
    this.name = this.named(uploadName(digest));
  }

  async run(): Promise<void> {
    const { size } = this.digest;
    let ask = size >= askedBytes;
    let reached = 0;
    for (;;) {
      let offset = 0;
      try {
        if (ask) offset = await this.committed();
        if (offset === size) return;
        // More than ever before: the tries were not in vain. Two servers behind one name may say more and less by turns.
        if (offset >= reached + progressBytes) this.retries.progressed();
        reached = Math.max(reached, offset);
        await this.attempt(offset);
        return;
      } catch (error) {
        if (error instanceof ContentFailure) throw error.cause;
        ask = await this.failed(error, offset);
      }
    }
  }

  /** After a failed attempt from `offset` on: returns whether to ask how far it came, and throws where there is no sense in another. */
  private async failed(error: unknown, offset: number): Promise<boolean> {
    const code = error instanceof RpcError ? error.code : undefined;
    if (code === grpcStatus.aborted) {
      // Another process goes on with it. Ours gets a name of its own, rather than take it away again.
      this.name = this.named(randomUUID());
      await this.retries.after(error);
      return false;
    }
    if (code === undefined || !refusing.has(code)) {
      await this.retries.after(this.server.asPassing(error));
      return true;
    }
    // The bytes were damaged on their way, or what was kept of an earlier process is not what it seemed: once more, from the beginning.
    if (this.doubted) throw await this.refused(error as RpcError);
    this.doubted = true;
    if (offset > 0) this.name = this.named(randomUUID());
    return false;
  }

  private async refused(error: RpcError): Promise<StillageError> {
    const { server, digest, signal } = this;
    const failure = await server.failure(error, `writing ${showDigest(digest)}`, signal);
    return failure.code === "cancelled" ? failure : refusedBytes(server, digest, error.message);
  }

  private named(upload: string): string {
    const { hash, size } = this.digest;
    return `${this.server.prefix}uploads/${upload}/blobs/${hash}/${size}`;
  }

  /** How much of it the server has: as much as its size where it has it all, 0 where it does not know. */
  private async committed(): Promise<number> {
    const { server, digest, signal } = this;
    if (!server.resumesWrites) return 0;
    try {
      const request = encodeQueryWriteStatus(this.name);
      const response = await server.channel.unary(`${byteStreamService}/QueryWriteStatus`, request, { signal });
      const { committed, complete } = decodeAnswer(() => writeStatus(response));
      if (complete) return digest.size;
      return committed < digest.size ? committed : 0;
    } catch (error) {
      if (isUnimplemented(error)) server.resumesWrites = false;
      else if (!(error instanceof RpcError) || error.code !== grpcStatus.notFound) throw error;
      return 0;
    }
  }

  /** One call of Write; the blob is there once it returns. */
  private async attempt(offset: number): Promise<void> {
    const options = { signal: this.signal, patienceMs: this.digest.size * bytePatienceMs };
    const call = this.server.channel.open(`${byteStreamService}/Write`, options);
    try {
      await this.sendAll(call, offset);
      call.halfClose();
      const message = await call.receive();
      if (message === undefined) throw brokenAnswer("a write ended without a word");
      // Servers in Python send a message with an error, too: only the end tells.
      if ((await call.receive()) !== undefined) throw brokenAnswer("a write has more than one");
      const committed = decodeAnswer(() => committedSize(message));
      if (committed > this.digest.size) throw brokenAnswer(`${committed} bytes are there, of ${this.digest.size}`);
      if (committed < this.digest.size) throw brokenAnswer(`${committed} of ${this.digest.size} bytes are there`);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== grpcStatus.alreadyExists) throw error;
    } finally {
      call.cancel();
    }
  }

  /** Sends the bytes from `offset` on; ends early where the server has answered already. */
  private async sendAll(call: ClientCall, offset: number): Promise<void> {
    const { size } = this.digest;
    let at = offset;
    const pieces = this.content(offset)[Symbol.asyncIterator]();
    try {
      while (at < size) {
        const bytes = await this.nextPiece(pieces, at);
        for (let from = 0; from < bytes.length; from += maxPieceBytes) {
          const piece = bytes.subarray(from, from + maxPieceBytes);
          const head = writeRequestHead(this.name, at, at + piece.length === size, piece.length);
          if (!(await call.send(head, piece))) return;
          at += piece.length;
        }
      }
    } finally {
      // Not waited for: where the signal was aborted, it may be in the middle of something slow.
      pieces.return?.().catch(() => {});
    }
  }

  private async nextPiece(pieces: AsyncIterator<Uint8Array>, at: number): Promise<Uint8Array> {
    const left = this.digest.size - at;
    let next: IteratorResult<Uint8Array>;
    try {
      next = await untilAborted(pieces.next(), this.signal);
    } catch (cause) {
      if (this.signal.aborted) throw cause;
      throw new ContentFailure("the content cannot be read", { cause });
    }
    if (next.done !== true && next.value.length <= left) return next.value;
    const what = next.done === true ? `ends ${left} bytes early` : "is longer than its digest says";
    const cause = new StillageError("corrupt", `the content of ${showDigest(this.digest)} ${what}`);
    throw new ContentFailure("the content is not that of the digest", { cause });
  }
}
