// Hand-written protobuf, small enough not to need generated code: google/rpc/status.proto, google/rpc/error_details.proto.

const retryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

/** A google.rpc.Status with a RetryInfo, which tells clients when to try again: the value of `grpc-status-details-bin`, decoded. */
export function encodeRetryDetails(code: number, message: string, retryAfterMs: number): Buffer {
  const seconds = Math.floor(retryAfterMs / 1000);
  const nanos = Math.round((retryAfterMs % 1000) * 1e6);
  const duration = Buffer.concat([integer(1, seconds), integer(2, nanos)]);
  const any = Buffer.concat([bytes(1, Buffer.from(retryInfoType)), bytes(2, bytes(1, duration))]);
  return Buffer.concat([integer(1, code), bytes(2, Buffer.from(message)), bytes(3, any)]);
}

function integer(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.from([field << 3, ...varint(value)]);
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(value.length)]), value]);
}

function varint(value: number): number[] {
  const encoded: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) encoded.push((rest % 0x80) | 0x80);
  encoded.push(rest);
  return encoded;
}
