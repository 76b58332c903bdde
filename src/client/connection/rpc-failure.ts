import { asStillageError, type ErrorCode, type ErrorDetails, StillageError } from "../../base/errors.ts";
import { ConnectionError } from "../../rpc/client/connection-error.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { connectionFailure, type FailedRemote } from "./connection-failure.ts";
import { NotGrpc } from "./not-grpc.ts";
import { retryAfterMs } from "./retry-info.ts";

/** The server's own words are cut after so many characters. */
const maxWords = 1000;

/**
 * What a call failed with, once for all of the client: names the server, says what was being done and what can be done about it. `unavailable` and `deadline` are where the
 * server or the way to it is at fault, `cancelled` where the signal is. `doing` continues "NAME: ", as in `asking for what is missing`.
 */
export async function rpcFailure(
  error: unknown,
  spec: FailedRemote,
  doing: string,
  signal: AbortSignal,
): Promise<StillageError> {
  if (signal.aborted) return cancelled(signal);
  if (!(error instanceof RpcError)) return asStillageError(error);
  if (error.cause instanceof ConnectionError) {
    const failure = await connectionFailure({ spec, doing, error, broken: error.cause }, signal);
    return signal.aborted ? cancelled(signal) : failure;
  }
  const said = error.message.slice(0, maxWords).trim();
  const what = `${spec.name}: ${doing} failed`;
  if (error.httpStatus !== undefined && !passingHttp.has(error.httpStatus))
    return httpFailure(error, error.httpStatus, what);
  const { code, hint } = byStatus[error.code] ?? unknownStatus;
  const message = `${what}: ${error.status}${said === "" ? "" : `, ${said}`}`;
  return new StillageError(code, message, details(error, hint));
}

/** What a signal that was aborted says: `cancelled`, unless it was aborted with an error of ours. */
export function cancelled({ reason }: AbortSignal): StillageError {
  return reason instanceof StillageError
    ? reason
    : new StillageError("cancelled", "it was cancelled", { cause: reason });
}

function details(error: RpcError, hint: string | undefined): ErrorDetails {
  const after = retryAfterMs(error.details);
  return { cause: error, ...(hint !== undefined && { hint }), ...(after !== undefined && { retryAfterMs: after }) };
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint?: string;
}

const serversFault = "the server's log may say more";
const unknownStatus: Meaning = { code: "unavailable", hint: serversFault };

/** INTERNAL, UNKNOWN and a call that the server cancelled are the server's fault, so another one may do. */
const byStatus: Readonly<Record<number, Meaning>> = {
  [grpcStatus.cancelled]: unknownStatus,
  [grpcStatus.unknown]: unknownStatus,
  [grpcStatus.invalidArgument]: {
    code: "invalid",
    hint: "check `instance-name`; some servers say so of a name that they do not serve",
  },
  [grpcStatus.deadlineExceeded]: {
    code: "deadline",
    hint: "the server or the way to it is too slow, or `request-timeout` too short",
  },
  [grpcStatus.notFound]: { code: "not-found" },
  [grpcStatus.alreadyExists]: { code: "exists" },
  [grpcStatus.permissionDenied]: {
    code: "forbidden",
    hint: "this needs credentials that may do it: `access-token`, or `client-cert` and `client-key`",
  },
  [grpcStatus.resourceExhausted]: {
    code: "exhausted",
    hint: "the server is full or limits its clients; try again later",
  },
  [grpcStatus.failedPrecondition]: { code: "failed-precondition" },
  [grpcStatus.aborted]: { code: "aborted" },
  [grpcStatus.outOfRange]: { code: "out-of-range" },
  [grpcStatus.unimplemented]: {
    code: "unsupported",
    hint: "the server has no such service, or `type` says more than it is",
  },
  [grpcStatus.internal]: unknownStatus,
  [grpcStatus.unavailable]: {
    code: "unavailable",
    hint: "the server is overloaded or being restarted; try again later",
  },
  [grpcStatus.dataLoss]: { code: "corrupt", hint: serversFault },
  [grpcStatus.unauthenticated]: {
    code: "unauthenticated",
    hint: "give `access-token`, or `client-cert` and `client-key`; a token that is given is unknown there or has expired",
  },
};

/** What proxies answer for a server that is not there for the moment. */
const passingHttp = new Set([429, 502, 503, 504]);

function httpFailure(error: RpcError, status: number, what: string): StillageError {
  if (status === 401 || status === 403) {
    const meaning = byStatus[status === 401 ? grpcStatus.unauthenticated : grpcStatus.permissionDenied] as Meaning;
    return new StillageError(meaning.code, `${what}: HTTP status ${status}`, details(error, meaning.hint));
  }
  return new StillageError("unsupported", `${what}: the server speaks HTTP, but no gRPC (status ${status})`, {
    hint: "the URL is not that of a gRPC server, or a proxy before it does not pass gRPC on",
    cause: new NotGrpc("http/2", error),
  });
}
