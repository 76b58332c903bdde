import { ProtobufReader, tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../../base/protobuf.ts";
import { textField } from "./message-parts.ts";

// google/bytestream/bytestream.proto

const offsetTag = tagOf(2, wireVarint);
const finishTag = tagOf(3, wireVarint);
const dataTag = tagOf(10, wireBytes);
const committedTag = tagOf(1, wireVarint);
const completeTag = tagOf(2, wireVarint);
const none: Uint8Array = new Uint8Array(0);

function offsetField(offset: number): Uint8Array {
  if (offset === 0) return none;
  const out = Buffer.allocUnsafe(1 + varintLength(offset));
  out[0] = offsetTag;
  writeVarint(out, 1, offset);
  return out;
}

/** A ReadRequest from an offset to the end. */
export function encodeReadRequest(resourceName: string, offset: number): Uint8Array {
  return Buffer.concat([textField(1, resourceName), offsetField(offset)]);
}

/** The data of a ReadResponse, a view of the message. Errors: `invalid`. */
export function readResponseData(message: Uint8Array): Uint8Array {
  const reader = new ProtobufReader(message);
  let data = none;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) if (tag === dataTag) data = reader.view();
  return data;
}

/** What stands before `length` bytes of data in a WriteRequest. The resource name is in every one: some servers want that. */
export function writeRequestHead(resourceName: string, offset: number, finish: boolean, length: number): Uint8Array {
  const data = Buffer.allocUnsafe((finish ? 2 : 0) + 1 + varintLength(length));
  let at = 0;
  if (finish) {
    data[at++] = finishTag;
    data[at++] = 1;
  }
  data[at++] = dataTag;
  writeVarint(data, at, length);
  return Buffer.concat([textField(1, resourceName), offsetField(offset), data]);
}

/** The committed_size of a WriteResponse. Infinity for a negative one. Errors: `invalid`. */
export function committedSize(message: Uint8Array): number {
  return writeStatus(message).committed;
}

/** A QueryWriteStatusRequest. */
export const encodeQueryWriteStatus = (resourceName: string): Uint8Array => textField(1, resourceName);

/** A QueryWriteStatusResponse. Errors: `invalid`. */
export function writeStatus(message: Uint8Array): { readonly committed: number; readonly complete: boolean } {
  const reader = new ProtobufReader(message);
  let committed = 0;
  let complete = false;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === committedTag) committed = reader.value;
    else if (tag === completeTag) complete = reader.value !== 0;
  }
  return { committed, complete };
}
