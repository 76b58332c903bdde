import type { Caller } from "../base/caller.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { Peer } from "../base/peer.ts";

/** One call in progress. */
export interface Call {
  /** `package.Service/Method`. */
  readonly method: string;
  /** What it is called in logs, and in what its client is told of errors. */
  readonly id: string;
  readonly peer: Peer;
  readonly caller: Caller;
  /** What it is about, for the access log: an instance, and in it a resource, a URI or a key. Set by the handler. */
  instance: string;
  subject: string;
  /** How many of the things that it asks for are here, and how many are not, for metrics. Set by the handler where the status does not say it. */
  found: number;
  absent: number;
  /** A request header by lower-case name; several values are joined by ", ". */
  header(name: string): string | undefined;
  /** Aborted when the client cancels, its deadline passes, the connection ends or the server's grace time is over. */
  readonly signal: AbortSignal;
}

/** Decides whether a call may begin, once it is known whose it is. */
export interface Gate {
  /** Errors: `unavailable`, which becomes the call's status. */
  enter(call: Call): Leaving;
}

/** Told once, when the call has ended. */
export interface Leaving {
  leave(): void;
}

/** One response message, in pieces that are sent one after the other without being joined. */
export interface Reply {
  readonly parts: readonly Uint8Array[];
  /** Called once, when the pieces are no longer needed: sent or given up. */
  readonly sent?: () => void;
}

/**
 * One request message, one response. `request` is valid until the reply is there, so a handler copies what it keeps.
 * An error that is thrown becomes the call's status (`status.ts`).
 */
export type UnaryHandler = (request: Uint8Array, call: Call) => MaybePromise<Reply>;

/** A call in which messages come or go one by one. */
export interface CallStream extends Call {
  /** The next request message, valid until the next `receive`; `undefined` after the last one. Rejects when the call was cancelled. */
  receive(): MaybePromise<Uint8Array | undefined>;
  /** Sends one response message; resolves when there is room for the next. Rejects when the call was cancelled. */
  send(reply: Reply): MaybePromise<void>;
}

/** Returning ends the call well, whether or not the client has said everything; throwing ends it with a status. */
export type StreamHandler = (stream: CallStream) => Promise<void>;

export interface UnaryMethod {
  readonly kind: "unary";
  readonly handle: UnaryHandler;
  readonly maxRequestBytes?: number;
  /** How long a response can become, where that is long: counted for each call from the first, not only once such a response was seen. */
  readonly maxReplyBytes?: number;
}

export interface StreamMethod {
  readonly kind: "stream";
  readonly handle: StreamHandler;
  readonly maxRequestBytes?: number;
  /** The client has one message to send, and is refused where it sends more. */
  readonly oneRequest?: boolean;
}

export type Method = UnaryMethod | StreamMethod;

/** Methods by their short name. */
export interface Service {
  /** `package.Service`. */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}
