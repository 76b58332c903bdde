import { ProtobufReader, tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../../base/protobuf.ts";

const nameTag = tagOf(1, wireBytes);
const offsetTag = tagOf(2, wireVarint);
const thirdTag = tagOf(3, wireVarint);
const dataTag = tagOf(10, wireBytes);
const none: Uint8Array = new Uint8Array(0);

/** A google.bytestream.WriteRequest. */
export interface WriteRequest {
  /** Empty in the messages that leave it out. */
  readonly resourceName: string;
  readonly writeOffset: number;
  readonly finishWrite: boolean;
  /** A view of the message. */
  readonly data: Uint8Array;
}

/** Errors: `invalid`. An offset that no blob can have becomes Infinity. */
export function decodeWriteRequest(message: Uint8Array): WriteRequest {
  const reader = new ProtobufReader(message);
  let resourceName = "";
  let writeOffset = 0;
  let finishWrite = false;
  let data = none;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === dataTag) data = reader.view();
    else if (tag === offsetTag) writeOffset = reader.value;
    else if (tag === thirdTag) finishWrite = reader.value !== 0;
    else if (tag === nameTag) resourceName = reader.text();
  }
  return { resourceName, writeOffset, finishWrite, data };
}

/** A google.bytestream.ReadRequest. Negative numbers become Infinity. */
export interface ReadRequest {
  readonly resourceName: string;
  readonly readOffset: number;
  /** 0: no limit. */
  readonly readLimit: number;
}

export function decodeReadRequest(message: Uint8Array): ReadRequest {
  const reader = new ProtobufReader(message);
  let resourceName = "";
  let readOffset = 0;
  let readLimit = 0;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === nameTag) resourceName = reader.text();
    else if (tag === offsetTag) readOffset = reader.value;
    else if (tag === thirdTag) readLimit = reader.value;
  }
  return { resourceName, readOffset, readLimit };
}

/** What stands before `length` bytes of data in a ReadResponse. */
export function readResponseHead(length: number): Uint8Array {
  const head = Buffer.allocUnsafe(1 + varintLength(length));
  head[0] = dataTag;
  writeVarint(head, 1, length);
  return head;
}

/** A WriteResponse. `committed` may be -1: a compressed blob that is there already (remote_execution.proto, ByteStream). */
export function encodeWriteResponse(committed: number): Uint8Array {
  if (committed === 0) return none;
  if (committed < 0) return Uint8Array.of(tagOf(1, wireVarint), 255, 255, 255, 255, 255, 255, 255, 255, 255, 1);
  const out = Buffer.allocUnsafe(1 + varintLength(committed));
  out[0] = tagOf(1, wireVarint);
  writeVarint(out, 1, committed);
  return out;
}
