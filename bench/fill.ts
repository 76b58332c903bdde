import { createHash, hash } from "node:crypto";
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import {
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  FindMissingBlobsRequestSchema,
  FindMissingBlobsResponseSchema,
} from "../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";

const service = "/build.bazel.remote.execution.v2.ContentAddressableStorage";
const blobBytes = 100;
/** Blobs of a call: a request of about 900 kB, well below the 4 MiB that gRPC servers take at least. */
const batch = 5_000;
const inFlight = 4;
const sampled = 10_000;

/** Uploads the blobs numbered from 0 to `count` and returns the seconds it took. */
export async function fill(address: string, count: number, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  using client = open(address);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      signal.throwIfAborted();
      const first = next;
      next = Math.min(count, first + batch);
      const requests = Array.from({ length: next - first }, (_, at) => {
        const data = blobOf(first + at);
        return { digest: digestOf(data), data };
      });
      const message = create(BatchUpdateBlobsRequestSchema, { requests });
      const answer = await client.call(
        "BatchUpdateBlobs",
        toBinary(BatchUpdateBlobsRequestSchema, message),
        BatchUpdateBlobsResponseSchema,
      );
      const stored = answer.responses.filter(({ status }) => (status?.code ?? 0) === 0).length;
      if (stored !== requests.length) throw new Error(`the server stored ${stored} of ${requests.length} blobs`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return (performance.now() - startedAt) / 1000;
}

/** Throws unless the server has every one of a sample of the blobs numbered from 0 to `count`. */
export async function checkFilled(address: string, count: number): Promise<void> {
  using client = open(address);
  const size = Math.min(sampled, count);
  const blobDigests = Array.from({ length: size }, (_, at) => digestOf(blobOf(Math.floor((at * count) / size))));
  const message = create(FindMissingBlobsRequestSchema, { blobDigests });
  const answer = await client.call(
    "FindMissingBlobs",
    toBinary(FindMissingBlobsRequestSchema, message),
    FindMissingBlobsResponseSchema,
  );
  const missing = answer.missingBlobDigests.length;
  if (missing > 0) throw new Error(`${missing} of ${size} blobs that were acknowledged are missing`);
}

/** The blob of a number: the number, then what nobody can compress. */
function blobOf(number: number): Buffer {
  const start = Buffer.alloc(8);
  start.writeDoubleLE(number);
  const rest = createHash("shake256", { outputLength: blobBytes - start.length })
    .update(start)
    .digest();
  return Buffer.concat([start, rest]);
}

const digestOf = (blob: Buffer) => ({ hash: hash("sha256", blob), sizeBytes: BigInt(blob.length) });

interface CasClient extends Disposable {
  call<D extends DescMessage>(method: string, request: Uint8Array, answer: D): Promise<MessageShape<D>>;
}

function open(address: string): CasClient {
  const client = new Client(address, credentials.createInsecure());
  const encoded = (request: Uint8Array): Buffer => Buffer.from(request.buffer, request.byteOffset, request.length);
  return {
    call: (method, request, answer) =>
      new Promise((resolve, reject) => {
        const decode = (bytes: Buffer) => fromBinary(answer, bytes);
        client.makeUnaryRequest(`${service}/${method}`, encoded, decode, request, (error, response) => {
          if (response === undefined) reject(error);
          else resolve(response);
        });
      }),
    [Symbol.dispose]: () => client.close(),
  };
}
