import { randomBytes } from "node:crypto";
import { type Digest, digestOf } from "../../../src/base/digest.ts";
import { sha256 } from "../../../src/base/digest-function.ts";
import { oneByOne, type WholeBlob } from "../../../src/client/blob-place.ts";
import { type ConnectionLimits, connectionLimits, openChannel } from "../../../src/client/connection/channel.ts";
import type { BlobPlace } from "../../../src/client/place.ts";
import type { RemoteSpec } from "../../../src/client/remote-spec.ts";
import { type StorageCapabilities, unknownCapabilities } from "../../../src/client/storage/capabilities.ts";
import { grpcBlobs } from "../../../src/client/storage/grpc-blobs.ts";
import type { Channel } from "../../../src/rpc/client/channel.ts";

/** A remote as a configuration would have it, with pauses before tries that are short enough for a test. */
export function remoteAt(url: string, more: Partial<RemoteSpec> = {}): RemoteSpec {
  const auth = { serverCert: undefined, clientCert: undefined, clientKey: undefined, accessToken: undefined };
  const connection = { keepaliveSeconds: undefined, retryLimit: undefined, requestTimeoutSeconds: undefined };
  return {
    name: "cache",
    url,
    type: "all",
    push: true,
    instanceName: "",
    auth: { ...auth, accessTokenReloadMinutes: undefined },
    connection: { ...connection, retryDelayMs: 20 },
    origin: "test",
    ...more,
  };
}

/** The storage of a server, over a connection of its own. */
export interface OpenStorage extends Disposable {
  readonly channel: Channel;
  readonly blobs: BlobPlace;
}

export function openStorage(
  spec: RemoteSpec,
  limits: ConnectionLimits = connectionLimits,
  capabilities: StorageCapabilities = unknownCapabilities,
): OpenStorage {
  const channel = openChannel(spec, limits);
  return {
    channel,
    blobs: grpcBlobs(channel, spec, capabilities),
    [Symbol.dispose]: () => channel.destroy(),
  };
}

export function randomBlob(size: number): WholeBlob {
  const bytes = randomBytes(size);
  return { digest: digestOf(sha256, bytes), bytes };
}

/** The content of a blob as writing asks for it, in pieces. */
export function contentOf(bytes: Uint8Array, pieceBytes = 64 << 10): (offset: number) => AsyncIterable<Uint8Array> {
  return async function* (offset) {
    for (let at = offset; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
}

/** All of a stream's bytes. */
export async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What `readMany` gives, by hash, copied. */
export async function gatheredMany(
  blobs: BlobPlace,
  digests: readonly Digest[],
  signal: AbortSignal,
): Promise<{ readonly found: Map<string, Buffer>; readonly missing: readonly Digest[] }> {
  const found = new Map<string, Buffer>();
  const take = oneByOne(({ hash }, bytes) => void found.set(hash, Buffer.from(bytes)));
  const missing = await blobs.readMany(digests, take, signal);
  return { found, missing };
}
