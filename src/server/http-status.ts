import type { ErrorCode, StillageError } from "../base/errors.ts";
import type { HttpResponse } from "../http/exchange.ts";

/** The HTTP status (RFC 9110, section 15) of an error. */
const statusOf: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  "not-found": 404,
  exists: 409,
  "out-of-range": 416,
  unauthenticated: 401,
  forbidden: 403,
  "failed-precondition": 412,
  exhausted: 507,
  unsupported: 501,
  unavailable: 503,
  aborted: 409,
  cancelled: 499,
  deadline: 504,
  corrupt: 500,
  internal: 500,
};

/** The ways to say who one is (RFC 9110, section 11.6.1). */
const challenge = 'Basic realm="Stillage", Bearer';

export function statusOfCode(code: ErrorCode): number {
  return statusOf[code];
}

/** What an error says besides its text: when to try again, and how to say who one is. */
export function headersOf({ code, retryAfterMs }: StillageError): Record<string, string> {
  return {
    ...(retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1000)) }),
    ...(code === "unauthenticated" ? { "www-authenticate": challenge } : {}),
  };
}

/** An error as a response of one or two lines of text. */
export function errorResponse(error: StillageError, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  const lines = error.hint === undefined ? [error.message] : [error.message, error.hint];
  return text(statusOf[error.code], `${lines.join("\n")}\n`, { ...headersOf(error), ...headers });
}

/** A response of plain text that nobody keeps. */
export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers },
    body: Buffer.from(body),
  };
}
