import { constants, type IncomingHttpHeaders } from "node:http2";
import { grpcStatus } from "../status.ts";
import { RpcError } from "./rpc-error.ts";

/** For messages. */
const maxTypeLength = 100;

/** What an answer without a gRPC status means, by HTTP status (doc/http-grpc-status-mapping.md). */
const byHttpStatus: Readonly<Record<number, number>> = {
  400: grpcStatus.internal,
  401: grpcStatus.unauthenticated,
  403: grpcStatus.permissionDenied,
  404: grpcStatus.unimplemented,
  429: grpcStatus.unavailable,
  502: grpcStatus.unavailable,
  503: grpcStatus.unavailable,
  504: grpcStatus.unavailable,
};

/** What a reset stream means, by HTTP/2 error code (doc/PROTOCOL-HTTP2.md, "Errors"). */
const byReset: Readonly<Record<number, number>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: grpcStatus.unavailable,
  [constants.NGHTTP2_CANCEL]: grpcStatus.cancelled,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: grpcStatus.resourceExhausted,
  [constants.NGHTTP2_INADEQUATE_SECURITY]: grpcStatus.permissionDenied,
};

/** The message of a status, whose bytes outside printable ASCII come percent-encoded; kept as it is where that is broken. */
function decodeMessage(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}

/** What trailers, or the headers of an answer without messages, say: `undefined` for OK. */
export function outcomeOfTrailers(trailers: IncomingHttpHeaders): RpcError | undefined {
  const status = single(trailers["grpc-status"]);
  if (status === "0") return undefined;
  if (status === undefined) return new RpcError(grpcStatus.internal, "the call ended without a status");
  const details = single(trailers["grpc-status-details-bin"]);
  return new RpcError(
    /^\d{1,9}$/.test(status) ? Number(status) : grpcStatus.unknown,
    decodeMessage(single(trailers["grpc-message"]) ?? ""),
    details === undefined ? {} : { details: Buffer.from(details, "base64") },
  );
}

/** What headers without a gRPC status say, where they are not the beginning of an answer of gRPC: those of a web server, or of a proxy. */
export function outcomeOfPage(headers: IncomingHttpHeaders): RpcError | undefined {
  const http = Number(headers[":status"]);
  const type = headers["content-type"];
  // Some servers leave the type out.
  if (http === 200 && (type === undefined || type.startsWith("application/grpc"))) return undefined;
  const what = http === 200 ? `content of type ${type?.slice(0, maxTypeLength)}` : `HTTP status ${http}`;
  return new RpcError(byHttpStatus[http] ?? grpcStatus.unknown, `the server answered with ${what}, not with gRPC`, {
    httpStatus: http,
  });
}

/** What it means that a stream closed before its status came. `broken` is why its connection ended, where it did. */
export function outcomeOfReset(reset: number, broken: RpcError | undefined, cause: Error | undefined): RpcError {
  if (broken !== undefined) return broken;
  return new RpcError(byReset[reset] ?? grpcStatus.internal, cause?.message ?? `the stream was reset (${reset})`, {
    cause,
  });
}
