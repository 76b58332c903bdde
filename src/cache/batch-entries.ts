import { StillageError } from "../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes } from "../base/protobuf.ts";
import type { BatchRead } from "../store/blob-store.ts";

const responseTag = tagOf(1, wireBytes);
const dataTag = tagOf(2, wireBytes);

/**
 * Calls `each` with the place of the data of every blob in a batch that was read (BatchReadBlobsResponse.responses = 1, Response.data = 2
 * in remote_execution.proto), in the order asked. The bytes are good until the batch is released.
 */
export function forEachBlob(batch: BatchRead, each: (bytes: Uint8Array, start: number, end: number) => void): void {
  // An entry may be cut anywhere, so the pieces are joined; batches are small.
  const bytes = batch.parts.length === 1 ? (batch.parts[0] as Uint8Array) : Buffer.concat(batch.parts, batch.bytes);
  const responses = new ProtobufReader(bytes);
  for (let tag = responses.field(); tag !== 0; tag = responses.field()) {
    if (tag !== responseTag) throw new StillageError("internal", "a batch from the store holds a foreign field");
    const response = new ProtobufReader(bytes, responses.start, responses.end);
    let start = 0;
    let end = 0;
    for (let inner = response.field(); inner !== 0; inner = response.field()) {
      if (inner !== dataTag) continue;
      start = response.start;
      end = response.end;
    }
    each(bytes, start, end);
  }
}
