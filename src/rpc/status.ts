import type { ErrorCode, StillageError } from "../base/errors.ts";

/** The status codes of gRPC (doc/statuscodes.md of the gRPC project). */
export const grpcStatus = Object.freeze({
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
});

const names: readonly string[] = Object.keys(grpcStatus).map((name) => name.replace(/[A-Z]/g, "_$&").toUpperCase());

const byError: Readonly<Record<ErrorCode, number>> = {
  invalid: grpcStatus.invalidArgument,
  "not-found": grpcStatus.notFound,
  exists: grpcStatus.alreadyExists,
  "out-of-range": grpcStatus.outOfRange,
  unauthenticated: grpcStatus.unauthenticated,
  forbidden: grpcStatus.permissionDenied,
  "failed-precondition": grpcStatus.failedPrecondition,
  exhausted: grpcStatus.resourceExhausted,
  unsupported: grpcStatus.unimplemented,
  unavailable: grpcStatus.unavailable,
  aborted: grpcStatus.aborted,
  cancelled: grpcStatus.cancelled,
  deadline: grpcStatus.deadlineExceeded,
  corrupt: grpcStatus.dataLoss,
  internal: grpcStatus.internal,
};

/** The status that tells a client of an error. */
export function statusCodeOf(error: StillageError): number {
  return byError[error.code];
}

/** `NOT_FOUND` for 5, and so on; `UNKNOWN` for a number that is no status. */
export function grpcStatusName(code: number): string {
  return names[code] ?? "UNKNOWN";
}
