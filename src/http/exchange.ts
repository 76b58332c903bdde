import type { Caller, Identify } from "../base/caller.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { Peer } from "../base/peer.ts";

/** A plain HTTP request, the same over HTTP/1.1 and HTTP/2. */
export interface HttpRequest {
  /** What it is called in logs, and in what its client is told of errors. */
  readonly id: string;
  readonly method: string;
  /** Without the query, percent-encoded as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly peer: Peer;
  /** Finds out whose request it is. */
  readonly identify: Identify;
  /** Set by whoever has asked `identify`. */
  caller: Caller;
  /** Which instance it is about, for the access log. Set by the handler. */
  instance: string;
  /** What kind of path it is, one of few, for metrics: `cas`, `/status`. Set by the handler. */
  route: string;
  /** The next piece of the body, its taker's own; `undefined` at its end. */
  receive(): MaybePromise<Uint8Array | undefined>;
  /** Bytes of the body that have come so far. */
  readonly received: number;
  /** Aborted when the client goes away or the server's grace time is over; it may be when all is done, too. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export type HttpHandler = (request: HttpRequest) => MaybePromise<HttpResponse>;
