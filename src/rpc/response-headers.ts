import type { StillageError } from "../base/errors.ts";
import { requestIdHeader } from "../base/request-ids.ts";
import { encodeHeaders, type HeaderBlock } from "../http2/hpack-encoder.ts";
import { encodeMessage } from "./header-text.ts";
import { statusCodeOf } from "./status.ts";
import { encodeDetails } from "./status-details.ts";

/** Longer messages of errors are cut: percent-encoded and with details they must fit a client's header limit, commonly 8 KiB. */
const maxMessageLength = 512;

const start = [
  [":status", "200"],
  ["content-type", "application/grpc"],
] as const;

const accepted = ["grpc-accept-encoding", "identity,gzip"] as const;

/** What every response begins with. */
export const responseHeaders: HeaderBlock = encodeHeaders([...start, accepted]);

/** What ends every call that went well. */
export const okTrailers: HeaderBlock = encodeHeaders([["grpc-status", "0"]]);

function errorFields(error: StillageError, request: string): [string, string][] {
  const code = statusCodeOf(error);
  const message = error.message.slice(0, maxMessageLength);
  const fields: [string, string][] = [
    ["grpc-status", String(code)],
    ["grpc-message", encodeMessage(message)],
    [requestIdHeader, request],
  ];
  const details = encodeDetails(code, message, error, request);
  if (details !== undefined) {
    fields.push(["grpc-status-details-bin", details.toString("base64").replace(/=+$/, "")]);
  }
  return fields;
}

/** What ends a call that has sent messages before it failed; `request`: its id. */
export function errorTrailers(error: StillageError, request: string): HeaderBlock {
  return encodeHeaders(errorFields(error, request));
}

/** The whole response of a call that failed before it sent anything: "Trailers-Only". */
export function errorResponse(error: StillageError, request: string): HeaderBlock {
  return encodeHeaders([...start, accepted, ...errorFields(error, request)]);
}
