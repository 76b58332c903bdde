import type { Channel } from "../../rpc/client/channel.ts";
import type { BlobPlace } from "../place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { readMany } from "./batch-reads.ts";
import { writeMany } from "./batch-writes.ts";
import type { StorageCapabilities } from "./capabilities.ts";
import { findMissing } from "./find-missing.ts";
import { StorageServer } from "./storage-server.ts";
import { readStream } from "./stream-read.ts";
import { writeStream } from "./stream-write.ts";

/**
 * The blobs of a server that speaks the Remote Execution API (remote_execution.proto, service ContentAddressableStorage, and google.bytestream). What it has acknowledged
 * outlives its power cut if the server is such a one: there is nothing to flush.
 */
export function grpcBlobs(channel: Channel, spec: RemoteSpec, capabilities: StorageCapabilities): BlobPlace {
  const server = new StorageServer(channel, spec, capabilities);
  return {
    borrows: true,
    readMany: (digests, take, signal) => readMany(server, digests, take, signal),
    read: (digest, offset, signal) => readStream(server, digest, offset, signal),
    missing: (digests, signal) => findMissing(server, digests, signal),
    writeMany: (blobs, signal) => writeMany(server, blobs, signal),
    write: (digest, content, signal) => writeStream(server, digest, content, signal),
    flush: async () => {},
  };
}
