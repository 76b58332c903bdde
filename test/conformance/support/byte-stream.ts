import { randomUUID } from "node:crypto";
import type {
  ReadRequestSchema,
  ReadResponseSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from "../../../src/gen/google/bytestream/bytestream_pb.ts";
import type { CallOptions } from "../../../src/rpc/client/channel.ts";
import type { TypedCall } from "../../../src/rpc/client/typed.ts";
import type { DigestInit, TestBlob } from "./blobs.ts";
import { showDigest } from "./blobs.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Init } from "./init.ts";

const prefix = (instance: string): string => (instance === "" ? "" : `${instance}/`);

export function readName(instance: string, digest: DigestInit, kind = "blobs"): string {
  return `${prefix(instance)}${kind}/${showDigest(digest)}`;
}

export function writeName(instance: string, digest: DigestInit, kind = "blobs", upload: string = randomUUID()): string {
  return `${prefix(instance)}uploads/${upload}/${kind}/${showDigest(digest)}`;
}

export type ReadCall = TypedCall<typeof ReadRequestSchema, typeof ReadResponseSchema>;
export type WriteCall = TypedCall<typeof WriteRequestSchema, typeof WriteResponseSchema>;

/** Reads to the end. */
export async function readAll(
  { byteStream }: Pick<Endpoint, "byteStream">,
  request: Init<typeof ReadRequestSchema>,
  options?: CallOptions,
): Promise<Buffer> {
  const call = byteStream.read(options);
  await call.send(request);
  call.halfClose();
  const pieces: Uint8Array[] = [];
  for await (const { data } of call) pieces.push(data);
  return Buffer.concat(pieces);
}

/** Sends these messages one after the other, ends the sending and gives the committed size. */
export async function writeMessages(
  { byteStream }: Pick<Endpoint, "byteStream">,
  messages: readonly Init<typeof WriteRequestSchema>[],
  options?: CallOptions,
): Promise<bigint> {
  const call = byteStream.write(options);
  for (const message of messages) if (!(await call.send(message))) break;
  call.halfClose();
  return committed(call);
}

export async function committed(call: WriteCall): Promise<bigint> {
  const response = await call.receive();
  if (response === undefined) throw new Error("Write ended well without an answer");
  return response.committedSize;
}

/** What most clients send. */
const chunkBytes = 1 << 20;

/** The messages of a whole upload: the name in each, as casd has it. `from` is the offset of the first. */
export function chunksOf(
  resourceName: string,
  data: Uint8Array,
  { size = chunkBytes, from = 0 } = {},
): Init<typeof WriteRequestSchema>[] {
  const messages: Init<typeof WriteRequestSchema>[] = [];
  for (let at = 0; at === 0 || at < data.length; at += size) {
    const finishWrite = at + size >= data.length;
    messages.push({ resourceName, writeOffset: BigInt(from + at), data: data.subarray(at, at + size), finishWrite });
  }
  return messages;
}

/** Writes a blob under a name of its own. */
export function writeBlob(endpoint: Pick<Endpoint, "byteStream">, instance: string, blob: TestBlob): Promise<bigint> {
  return writeMessages(endpoint, chunksOf(writeName(instance, blob.digest), blob.data));
}
