import { type Digest, showDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf, runningHash } from "../../base/hash.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { encodeReadRequest, readResponseData } from "./byte-stream-message.ts";
import { findMissing } from "./find-missing.ts";
import { brokenAnswer, decodeAnswer } from "./message-parts.ts";
import {
  bytePatienceMs,
  byteStreamService,
  checkFunction,
  progressBytes,
  type StorageServer,
} from "./storage-server.ts";
import { wrongBytes } from "./wrong-bytes.ts";

/** See BlobSource.read. What is read from 0 on is verified at its end. */
export async function* readStream(
  server: StorageServer,
  digest: Digest,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  checkFunction(digest);
  const { size } = digest;
  const doing = `reading ${showDigest(digest)}`;
  const retries = server.retries(doing, signal);
  const hash = offset === 0 ? runningHash(sha256) : undefined;
  for (let at = offset; at < size; ) {
    const begin = at;
    const stream = new ReadCall(server, digest, at, signal);
    try {
      for (;;) {
        let data: Uint8Array | undefined;
        try {
          data = await stream.next();
        } catch (error) {
          if (at - begin >= progressBytes) retries.progressed();
          const missing = isOdd(error) && (await isMissing(server, digest, signal));
          await retries.after(missing ? absent(error) : server.asPassing(error));
          break;
        }
        if (data === undefined) break;
        at += data.length;
        if (at > size) throw wrongBytes(server, digest);
        hash?.update(data);
        if (at === size && hash !== undefined && hash.digest("hex") !== digest.hash) throw wrongBytes(server, digest);
        yield data;
      }
    } finally {
      stream.end();
    }
  }
}

/** An error that says nothing: BuildStream's server of 1.9x ends the reading of what it does not have so. */
const isOdd = (error: unknown): boolean => error instanceof RpcError && odd.has(error.code);

const odd = new Set<number>([grpcStatus.unknown, grpcStatus.internal]);

async function isMissing(server: StorageServer, digest: Digest, signal: AbortSignal): Promise<boolean> {
  return (await findMissing(server, [digest], signal)).length > 0;
}

const absent = (cause: unknown): RpcError => new RpcError(grpcStatus.notFound, "the blob is not there", { cause });

/** One call of ByteStream.Read. */
class ReadCall {
  private readonly open: () => ReturnType<StorageServer["channel"]["open"]>;
  private readonly name: string;
  private at: number;
  private readonly size: number;
  private call: ReturnType<StorageServer["channel"]["open"]> | undefined;

  constructor(server: StorageServer, { hash, size }: Digest, offset: number, signal: AbortSignal) {
    this.open = () => server.channel.open(`${byteStreamService}/Read`, { signal, patienceMs: size * bytePatienceMs });
    this.name = `${server.prefix}blobs/${hash}/${size}`;
    this.at = offset;
    this.size = size;
  }

  /** The next bytes; `undefined` behind the last of the blob. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.call === undefined) {
      this.call = this.open();
      void this.call.send(encodeReadRequest(this.name, this.at));
      this.call.halfClose();
    }
    if (this.at === this.size) return undefined;
    for (;;) {
      const message = await this.call.receive();
      if (message === undefined) throw brokenAnswer(`it ended after ${this.at} of ${this.size} bytes`);
      const data = decodeAnswer(() => readResponseData(message));
      this.at += data.length;
      if (data.length > 0) return data;
    }
  }

  /** Nothing more of it is wanted. A call that has given all is left to end by itself, in good order. */
  end(): void {
    if (this.at < this.size) this.call?.cancel();
    else this.call?.receive().catch(() => {});
  }
}

/** A small blob, whole and verified; `undefined` where it is not there. Errors: as of `readStream`. */
export async function readWhole(
  server: StorageServer,
  digest: Digest,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(digest.size);
  for (const last of [false, true]) {
    let at = 0;
    try {
      for await (const chunk of readStream(server, digest, 0, signal)) {
        bytes.set(chunk, at);
        at += chunk.length;
      }
      if (at === digest.size && hashOf(sha256, bytes) === digest.hash) return bytes;
    } catch (error) {
      if (error instanceof StillageError && error.code === "not-found") return undefined;
      if (last || !(error instanceof StillageError && error.code === "corrupt")) throw error;
    }
  }
  throw wrongBytes(server, digest);
}
