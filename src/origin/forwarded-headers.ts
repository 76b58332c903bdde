import { validateHeaderName, validateHeaderValue } from "node:http";
import { StillageError } from "../base/errors.ts";

/** Headers that a client wants an origin to get, by lower-case name. */
export type ForwardedHeaders = ReadonlyMap<string, string>;

/** What concerns the connection, or what comes back, and so is this server's own to say (RFC 9110, sections 7.6.1, 8.4, 14.2 and 13.1). */
const own: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "http2-settings",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "keep-alive",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Adds a header. Errors: `invalid` for what is none, and for one that clients have no say in. */
export function addForwarded(headers: Map<string, string>, name: string, value: string): void {
  const lower = name.toLowerCase();
  try {
    validateHeaderName(lower);
    validateHeaderValue(lower, value);
  } catch (error) {
    throw new StillageError("invalid", `${JSON.stringify(name.slice(0, 100))} is no header that can be sent`, {
      cause: error,
    });
  }
  if (own.has(lower) || lower.startsWith("proxy-")) {
    throw new StillageError("invalid", `the header ${lower} is not forwarded`);
  }
  headers.set(lower, value);
}
