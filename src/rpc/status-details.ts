// Hand-written protobuf, small enough not to need generated code: google/rpc/status.proto, google/rpc/error_details.proto.

import type { FieldViolation } from "../base/errors.ts";

/** What a status may tell beside its message. */
export interface Details {
  /** A RetryInfo, which tells clients when to try again. */
  readonly retryAfterMs: number | undefined;
  /** A BadRequest, which names what is wrong. */
  readonly violations: readonly FieldViolation[];
}

/**
 * A google.rpc.Status with details: the value of `grpc-status-details-bin`, decoded. `undefined` where there are none. `request` is the id of the request
 * that failed, for a RequestInfo, which alone is not worth it.
 */
export function encodeDetails(code: number, message: string, details: Details, request: string): Buffer | undefined {
  const { retryAfterMs, violations } = details;
  const found: Buffer[] = [];
  if (retryAfterMs !== undefined) {
    const seconds = Math.floor(retryAfterMs / 1000);
    const nanos = Math.round((retryAfterMs % 1000) * 1e6);
    found.push(any("google.rpc.RetryInfo", bytes(1, Buffer.concat([integer(1, seconds), integer(2, nanos)]))));
  }
  if (violations.length > 0) {
    const fields = violations.map(({ field, description }) =>
      bytes(1, Buffer.concat([bytes(1, Buffer.from(field)), bytes(2, Buffer.from(description))])),
    );
    found.push(any("google.rpc.BadRequest", Buffer.concat(fields)));
  }
  if (found.length === 0) return undefined;
  found.push(any("google.rpc.RequestInfo", bytes(1, Buffer.from(request))));
  return Buffer.concat([integer(1, code), bytes(2, Buffer.from(message)), ...found.map((each) => bytes(3, each))]);
}

/** A google.protobuf.Any. */
function any(type: string, message: Buffer): Buffer {
  return Buffer.concat([bytes(1, Buffer.from(`type.googleapis.com/${type}`)), bytes(2, message)]);
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
