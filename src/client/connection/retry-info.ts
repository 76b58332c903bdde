import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";

// google/rpc/status.proto and google/rpc/error_details.proto, read by hand: this is all that is asked of them.

const detailTag = tagOf(3, wireBytes);
const typeTag = tagOf(1, wireBytes);
const valueTag = tagOf(2, wireBytes);
const delayTag = tagOf(1, wireBytes);
const secondsTag = tagOf(1, wireVarint);
const nanosTag = tagOf(2, wireVarint);

/** When it is worth trying again, by the RetryInfo in an encoded google.rpc.Status: milliseconds. `undefined` where there is none, or it cannot be read. */
export function retryAfterMs(details: Uint8Array | undefined): number | undefined {
  if (details === undefined) return undefined;
  try {
    const status = new ProtobufReader(details);
    for (let tag = status.field(); tag !== 0; tag = status.field()) {
      const after = tag === detailTag ? ofDetail(status.view()) : undefined;
      if (after !== undefined) return after;
    }
  } catch {
    // A server's odd details are no error of the call.
  }
  return undefined;
}

function ofDetail(any: Uint8Array): number | undefined {
  const reader = new ProtobufReader(any);
  let type = "";
  let value: Uint8Array | undefined;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === typeTag) type = reader.text();
    else if (tag === valueTag) value = reader.view();
  }
  if (!type.endsWith("/google.rpc.RetryInfo") || value === undefined) return undefined;
  const info = new ProtobufReader(value);
  let delay: Uint8Array | undefined;
  for (let tag = info.field(); tag !== 0; tag = info.field()) if (tag === delayTag) delay = info.view();
  return delay && milliseconds(delay);
}

/** Of a google.protobuf.Duration. */
function milliseconds(duration: Uint8Array): number | undefined {
  const reader = new ProtobufReader(duration);
  let [seconds, nanos] = [0, 0];
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === secondsTag) seconds = reader.value;
    else if (tag === nanosTag) nanos = reader.value;
  }
  const ms = seconds * 1000 + nanos / 1e6;
  return Number.isFinite(ms) ? ms : undefined;
}
