import { randomBytes } from "node:crypto";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  FindMissingBlobsRequestSchema,
  FindMissingBlobsResponseSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import {
  QueryWriteStatusResponseSchema,
  ReadRequestSchema,
  ReadResponseSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from "../../gen/google/bytestream/bytestream_pb.ts";
import { type Channel, connect } from "../../rpc/client/channel.ts";
import { TestServer } from "../../rpc/server.fixture.ts";
import type { Method, Reply, Service } from "../../rpc/service.ts";
import type { WholeBlob } from "../blob-place.ts";
import type { BlobPlace } from "../place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { type StorageCapabilities, unknownCapabilities } from "./capabilities.ts";
import { grpcBlobs } from "./grpc-blobs.ts";

/** What the server does wrong. */
export interface Errors {
  /** Methods that it does not have. */
  without?: readonly string[];
  /** Whether to fail a call, and how: of each method they are counted from 0. */
  failCall?: (method: string, call: number) => StillageError | undefined;
  /** The status of a blob in a batch, where it is not the true one, by the blob's hash and how often it was asked for or sent before. */
  status?: (hash: string, before: number) => number | undefined;
  /** Whether a blob that is read is damaged on its way, by the same. */
  damaged?: (hash: string, before: number) => boolean;
  /** After how many bytes a call of Read says no more, or has had its time, as a server knows it as well; calls are counted from 0. */
  hangAfter?: (call: number) => number | undefined;
  lateAfter?: (call: number) => number | undefined;
  /** What the client allows a call, as its configuration says it. */
  callMs?: number;
  /** How long nothing may come. */
  stallMs?: number;
  /** What is said to be there after so many bytes of a write, before the client has sent them all. */
  commitEarly?: (received: number, size: number) => number | undefined;
  /** How much is said to be there of a write, where that is not the truth; questions are counted from 0. */
  committed?: (question: number) => number;
}

/** A storage in memory that errs as it is told, over a real connection. */
export class ErringCas implements AsyncDisposable {
  readonly stored = new Map<string, Buffer>();
  /** How often each method was called. */
  readonly calls: Record<string, number> = {};
  /** How many digests or blobs each call of the batched methods had. */
  readonly entries: number[] = [];
  /** From which offset each write began. */
  readonly writeOffsets: number[] = [];
  private readonly partial = new Map<string, Buffer>();
  private readonly times = new Map<string, number>();
  private readonly errors: Errors;
  private server: TestServer | undefined;
  private channel: Channel | undefined;

  private constructor(errors: Errors) {
    this.errors = errors;
  }

  static async start(errors: Errors = {}): Promise<ErringCas> {
    const cas = new ErringCas(errors);
    cas.server = await TestServer.start({}, { services: cas.services() });
    const { callMs, stallMs } = errors;
    const limits = { ...(callMs !== undefined && { timeoutMs: callMs }), ...(stallMs !== undefined && { stallMs }) };
    cas.channel = connect(`grpc://${cas.server.address}`, { maxMessageBytes: 8 << 20, ...limits });
    return cas;
  }

  /** As a client sees it. */
  place(capabilities: Partial<StorageCapabilities> = {}): BlobPlace {
    if (this.channel === undefined || this.server === undefined) throw new Error("it does not run");
    const spec = specOf(`grpc://${this.server.address}`, this.errors.callMs);
    return grpcBlobs(this.channel, spec, { ...unknownCapabilities, ...capabilities });
  }

  keep(...blobs: readonly WholeBlob[]): void {
    for (const { digest, bytes } of blobs) this.stored.set(digest.hash, Buffer.from(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.channel?.destroy();
    await this.server?.[Symbol.asyncDispose]();
  }

  private services(): Service[] {
    const { without = [] } = this.errors;
    const kept = (methods: Record<string, Method>): Record<string, Method> =>
      Object.fromEntries(Object.entries(methods).filter(([name]) => !without.includes(name)));
    return [
      { name: "build.bazel.remote.execution.v2.ContentAddressableStorage", methods: kept(this.batched()) },
      { name: "google.bytestream.ByteStream", methods: kept(this.streamed()) },
    ];
  }

  private batched(): Record<string, Method> {
    const methods: Record<string, (request: Uint8Array) => Reply> = {
      FindMissingBlobs: (request) => {
        const { blobDigests } = fromBinary(FindMissingBlobsRequestSchema, request);
        this.entries.push(blobDigests.length);
        const missingBlobDigests = blobDigests.filter(({ hash }) => !this.stored.has(hash));
        return reply(FindMissingBlobsResponseSchema, { missingBlobDigests });
      },
      BatchReadBlobs: (request) => {
        const { digests } = fromBinary(BatchReadBlobsRequestSchema, request);
        this.entries.push(digests.length);
        const responses = digests.map((digest) => {
          const before = this.before(digest.hash);
          const data = this.stored.get(digest.hash);
          const code = this.errors.status?.(digest.hash, before) ?? (data === undefined ? 5 : 0);
          return {
            digest,
            status: { code },
            ...(code === 0 && data && { data: this.given(digest.hash, data, before) }),
          };
        });
        return reply(BatchReadBlobsResponseSchema, { responses });
      },
      BatchUpdateBlobs: (request) => {
        const { requests } = fromBinary(BatchUpdateBlobsRequestSchema, request);
        this.entries.push(requests.length);
        const responses = requests.map(({ digest, data }) => {
          const hash = digest?.hash ?? "";
          const code = this.errors.status?.(hash, this.before(hash)) ?? 0;
          if (code === 0) this.stored.set(hash, Buffer.from(data));
          return { ...(digest && { digest }), status: { code } };
        });
        return reply(BatchUpdateBlobsResponseSchema, { responses });
      },
    };
    return Object.fromEntries(
      Object.entries(methods).map(([name, handle]): [string, Method] => [
        name,
        {
          kind: "unary",
          handle: (request) => {
            this.count(name);
            return handle(request);
          },
        },
      ]),
    );
  }

  private streamed(): Record<string, Method> {
    return {
      Read: {
        kind: "stream",
        handle: async (stream) => {
          this.count("Read");
          const { resourceName, readOffset } = fromBinary(
            ReadRequestSchema,
            (await stream.receive()) ?? new Uint8Array(),
          );
          const hash = hashIn(resourceName);
          const data = this.stored.get(hash);
          if (data === undefined) throw new StillageError("not-found", "no such blob");
          const given = this.given(hash, data, this.before(hash));
          const call = (this.calls.Read ?? 0) - 1;
          const late = this.errors.lateAfter?.(call);
          const most = late ?? this.errors.hangAfter?.(call) ?? Number.POSITIVE_INFINITY;
          const end = Math.min(given.length, Number(readOffset) + most);
          for (let at = Number(readOffset); at < end; at += 1000) {
            await stream.send(reply(ReadResponseSchema, { data: given.subarray(at, Math.min(at + 1000, end)) }));
          }
          if (late !== undefined) throw new StillageError("deadline", "it took too long");
          if (end < given.length) await new Promise((resolve) => stream.signal.addEventListener("abort", resolve));
        },
      },
      Write: {
        kind: "stream",
        handle: async (stream) => {
          this.count("Write");
          let first = true;
          for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
            const committed = this.write(fromBinary(WriteRequestSchema, message), first);
            first = false;
            if (committed !== undefined)
              return stream.send(reply(WriteResponseSchema, { committedSize: BigInt(committed) }));
          }
        },
      },
      QueryWriteStatus: {
        kind: "unary",
        handle: (request) => {
          this.count("QueryWriteStatus");
          const { resourceName } = fromBinary(ReadRequestSchema, request);
          const told = this.errors.committed?.((this.calls.QueryWriteStatus ?? 0) - 1);
          const committedSize = BigInt(told ?? this.partial.get(resourceName)?.length ?? 0);
          return reply(QueryWriteStatusResponseSchema, {
            committedSize,
            complete: this.stored.has(hashIn(resourceName)),
          });
        },
      },
    };
  }

  /** Returns what to answer, where it is time for that. */
  private write(
    request: { resourceName: string; writeOffset: bigint; finishWrite: boolean; data: Uint8Array },
    first: boolean,
  ) {
    const { resourceName, writeOffset, finishWrite, data } = request;
    if (first) this.writeOffsets.push(Number(writeOffset));
    const before = (this.partial.get(resourceName) ?? Buffer.alloc(0)).subarray(0, Number(writeOffset));
    const received = Buffer.concat([before, data]);
    this.partial.set(resourceName, received);
    const early = this.errors.commitEarly?.(received.length, sizeIn(resourceName));
    if (early !== undefined) return early;
    if (!finishWrite) return undefined;
    if (digestOf(sha256, received).hash !== hashIn(resourceName)) throw new StillageError("invalid", "other bytes");
    this.stored.set(hashIn(resourceName), received);
    return received.length;
  }

  private count(method: string): void {
    const call = this.calls[method] ?? 0;
    this.calls[method] = call + 1;
    const failure = this.errors.failCall?.(method, call);
    if (failure !== undefined) throw failure;
  }

  private before(hash: string): number {
    const times = this.times.get(hash) ?? 0;
    this.times.set(hash, times + 1);
    return times;
  }

  private given(hash: string, data: Buffer, before: number): Buffer {
    if (this.errors.damaged?.(hash, before) !== true) return data;
    const damaged = Buffer.from(data);
    damaged[0] = (damaged[0] as number) ^ 1;
    return damaged;
  }
}

function reply<S extends DescMessage>(schema: S, message: MessageInitShape<S>): Reply {
  return { parts: [toBinary(schema, create(schema, message))] };
}

const hashIn = (resourceName: string): string => /[0-9a-f]{64}/.exec(resourceName)?.[0] ?? "";
const sizeIn = (resourceName: string): number => Number(/\d+$/.exec(resourceName)?.[0]);

function specOf(url: string, callMs: number | undefined): RemoteSpec {
  const connection = {
    keepaliveSeconds: undefined,
    retryLimit: undefined,
    retryDelayMs: 1,
    requestTimeoutSeconds: callMs === undefined ? undefined : callMs / 1000,
  };
  const files = { serverCert: undefined, clientCert: undefined, clientKey: undefined, accessToken: undefined };
  const auth = { ...files, accessTokenReloadMinutes: undefined };
  return { name: "cache", url, type: "all", push: true, instanceName: "", auth, connection, origin: "test" };
}

export function randomBlob(size: number): WholeBlob {
  const bytes = randomBytes(size);
  return { digest: digestOf(sha256, bytes), bytes };
}

export const digestsOf = (blobs: readonly WholeBlob[]): Digest[] => blobs.map(({ digest }) => digest);
