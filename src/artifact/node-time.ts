import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../base/protobuf.ts";

const mtimeTag = tagOf(2, wireBytes);
const secondsTag = tagOf(1, wireVarint);
const nanosTag = tagOf(2, wireVarint);

/** NodeProperties of a Directory, and of a file in one (remote_execution.proto). */
export const directoryPropertiesTag = tagOf(5, wireBytes);
export const filePropertiesTag = tagOf(6, wireBytes);

/**
 * When something was modified, in seconds since 1970, as encoded NodeProperties say it (NodeProperties.mtime = 2); `undefined` where they do not. BuildStream keeps it in
 * build trees of workspaces alone. Errors: `invalid`.
 */
export function modifiedTime(bytes: Uint8Array, start: number, end: number): number | undefined {
  const properties = new ProtobufReader(bytes, start, end);
  for (let tag = properties.field(); tag !== 0; tag = properties.field()) {
    if (tag === mtimeTag) return seconds(new ProtobufReader(bytes, properties.start, properties.end));
  }
  return undefined;
}

/** When a directory itself was modified, as its encoded message says it. */
export function directoryTime(message: Uint8Array): number | undefined {
  const reader = new ProtobufReader(message);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === directoryPropertiesTag) return modifiedTime(message, reader.start, reader.end);
  }
  return undefined;
}

/** google.protobuf.Timestamp. What is before 1970 no build has. */
function seconds(timestamp: ProtobufReader): number | undefined {
  let [whole, nanos] = [0, 0];
  for (let tag = timestamp.field(); tag !== 0; tag = timestamp.field()) {
    if (tag === secondsTag) whole = timestamp.value;
    else if (tag === nanosTag) nanos = timestamp.value;
  }
  return Number.isSafeInteger(whole) && nanos < 1e9 ? whole + nanos / 1e9 : undefined;
}
