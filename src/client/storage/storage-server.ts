import type { Digest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { Channel } from "../../rpc/client/channel.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { Retries, withRetries } from "../connection/retries.ts";
import { rpcFailure } from "../connection/rpc-failure.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { batchLimit } from "./batches.ts";
import type { StorageCapabilities } from "./capabilities.ts";
import { Lanes } from "./lanes.ts";
import type { BlobStatus } from "./message-parts.ts";

/**
 * What batches under way hold, over all operations on one server, and how many there are at most: two keep a server nearby busy, and of one far away four of 4 MiB fill
 * the line. Where a server wants small ones there are more.
 */
const batchMemoryBytes = 16 << 20;
const maxBatchesInFlight = 8;

/** Questions for what is missing, of some 600 KB each. */
const questionsInFlight = 2;

/** Calls for one small blob each, where batches are not known or of no use. */
const streamsInFlight = 16;

/** What a server may take for each byte of a large blob without a word: some get all of it from elsewhere first, or read all of it again at the end. */
export const bytePatienceMs = 1 / 50_000;

/** A stream that has got further by less than this when it breaks has not got any further: a server that breaks each of them after a byte would be asked for ever. */
export const progressBytes = 16 << 10;

export const casService = "build.bazel.remote.execution.v2.ContentAddressableStorage";
export const byteStreamService = "google.bytestream.ByteStream";

/** The storage of a server, as the operations on it share it: how it is called, and what it turned out not to know. */
export class StorageServer {
  readonly channel: Channel;
  readonly spec: RemoteSpec;
  readonly instance: string;
  /** What a batch may come to. */
  readonly batchBytes: number;
  readonly maxBlobBytes: number;
  readonly batches: Lanes;
  readonly streams = new Lanes(streamsInFlight);
  readonly questions = new Lanes(questionsInFlight);
  /** Blobs that are being written by streams, by their hashes: who comes second waits for the first. */
  readonly writes = new Map<string, Promise<void>>();
  /** Whether it knows the methods; until it says otherwise. */
  batchReads = true;
  batchUpdates = true;
  resumesWrites = true;

  constructor(channel: Channel, spec: RemoteSpec, capabilities: StorageCapabilities) {
    this.channel = channel;
    this.spec = spec;
    this.instance = spec.instanceName;
    this.batchBytes = batchLimit(capabilities.maxBatchBytes);
    this.batches = new Lanes(Math.min(maxBatchesInFlight, Math.floor(batchMemoryBytes / this.batchBytes)));
    this.maxBlobBytes = capabilities.maxBlobBytes;
  }

  /** Before each resource name of the byte stream, and in no message. */
  get prefix(): string {
    return this.instance === "" ? "" : `${this.instance}/`;
  }

  retries(doing: string, signal: AbortSignal): Retries {
    return new Retries({ spec: this.spec, channel: this.channel, doing, signal });
  }

  withRetries<T>(doing: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    return withRetries(attempt, { spec: this.spec, channel: this.channel, doing, signal });
  }

  /**
   * The limit of a call that the configuration sets is one for each part of a large blob: what was left is gone on with. Of other errors nothing is changed, such as that of a
   * call in which nothing came any more.
   */
  asPassing(error: unknown): unknown {
    const late = error instanceof RpcError && error.code === grpcStatus.deadlineExceeded && !error.stalled;
    if (!late || this.spec.connection.requestTimeoutSeconds === undefined) return error;
    return new RpcError(grpcStatus.unavailable, `${error.message}, \`request-timeout\``, { cause: error });
  }

  failure(error: unknown, doing: string, signal: AbortSignal): Promise<StillageError> {
    return rpcFailure(error, this.spec, doing, signal);
  }
}

/** Whether a call failed because the server does not have the method. */
export const isUnimplemented = (error: unknown): boolean =>
  error instanceof RpcError && error.code === grpcStatus.unimplemented && error.httpStatus === undefined;

/** Whether a batch failed because it is too large for the server or for what is before it, whatever the server says it takes. */
export const isTooLarge = (error: unknown): boolean =>
  error instanceof RpcError &&
  ((error.code === grpcStatus.resourceExhausted && error.details === undefined) || error.httpStatus === 413);

/** Whether what the server says of one blob may be otherwise the next time. */
export const isPassing = ({ code }: BlobStatus): boolean => passing.has(code);

/** Whether a server says that bytes are not those of their digest. BuildStream's of 1.x has a code of its own for it. */
export const refusesBytes = ({ code }: BlobStatus): boolean =>
  code === grpcStatus.invalidArgument || code === grpcStatus.failedPrecondition;

const passing = new Set<number>([
  grpcStatus.unavailable,
  grpcStatus.aborted,
  grpcStatus.cancelled,
  grpcStatus.deadlineExceeded,
]);

/** What a server says of one blob, as a call that failed so. */
export const statusError = ({ code, message }: BlobStatus): RpcError => new RpcError(code, message);

/** Artifacts are named by SHA-256 alone, and no server is asked for anything else. */
export function checkFunction({ function: fn }: Digest): void {
  if (fn === sha256) return;
  throw new StillageError("unsupported", `blobs that are named by ${fn.name} are not kept by servers of artifacts`);
}
