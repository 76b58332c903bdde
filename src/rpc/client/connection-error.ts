import type { HttpProxy } from "../../base/proxy.ts";

/**
 * How far a connection had come when it failed: `connect` is the network's part, `tls` the handshake, `settings` the wait for the first word of HTTP/2 from the
 * server, and `open` all that comes after that.
 */
export type ConnectionStage = "connect" | "tls" | "settings" | "open";

/** Why a connection failed: an error of its own, its end, that nothing came in time, or that TLS was agreed on without HTTP/2. */
export type ConnectionFailure = "error" | "ended" | "silent" | "no-http2";

/** The cause of an RpcError that the connection is to blame for. Its own cause is the socket's error, where there was one. */
export class ConnectionError extends Error {
  readonly stage: ConnectionStage;
  readonly failure: ConnectionFailure;
  readonly #proxy: HttpProxy | undefined;

  constructor(
    stage: ConnectionStage,
    failure: ConnectionFailure,
    message: string,
    { cause, proxy }: { readonly cause?: unknown; readonly proxy?: HttpProxy | undefined } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.#proxy = proxy;
    this.name = "ConnectionError";
    this.stage = stage;
    this.failure = failure;
  }

  /** What was between us and the server, or was to be. It may have a secret, so whoever prints the error does not see it. */
  get proxy(): HttpProxy | undefined {
    return this.#proxy;
  }
}

/** What a socket's error says. One that stands for several addresses that were tried has no message of its own. */
export function socketMessage(error: Error): string {
  const all = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  return [...new Set(all.map(({ message }) => message))].join("; ");
}
