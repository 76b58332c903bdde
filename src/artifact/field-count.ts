import type { DescMessage } from "@bufbuild/protobuf";
import { ProtobufReader, wireBytes } from "../base/protobuf.ts";

/**
 * The fields of an encoded message and of all messages in it, as many as a decoder makes values of; counting ends beyond `limit`. Two bytes are enough
 * for one, of which a decoder makes a hundred. `schema` has no message that can contain itself. Errors: `invalid` for what is no message.
 */
export function countFields(schema: DescMessage, bytes: Uint8Array, limit: number): number {
  return countWithin(schema, bytes, 0, bytes.length, limit);
}

function countWithin(schema: DescMessage, bytes: Uint8Array, start: number, end: number, limit: number): number {
  const inner = messagesIn(schema);
  const reader = new ProtobufReader(bytes, start, end);
  let count = 0;
  for (let tag = reader.field(); tag !== 0 && count <= limit; tag = reader.field()) {
    count++;
    const message = (tag & 7) === wireBytes ? inner.get(tag >>> 3) : undefined;
    if (message !== undefined) count += countWithin(message, bytes, reader.start, reader.end, limit - count);
  }
  return count;
}

const known = new Map<DescMessage, ReadonlyMap<number, DescMessage>>();

/** The members of a message that are messages, by their numbers. */
function messagesIn(schema: DescMessage): ReadonlyMap<number, DescMessage> {
  let found = known.get(schema);
  if (found === undefined) {
    found = new Map(schema.fields.flatMap(({ number, message }) => (message === undefined ? [] : [[number, message]])));
    known.set(schema, found);
  }
  return found;
}
