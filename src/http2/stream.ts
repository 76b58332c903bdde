import type { StillageError } from "../base/errors.ts";
import type { HeaderBlock } from "./hpack-encoder.ts";
import type { RequestHeaders } from "./request-headers.ts";

/** Whoever lent memory to a response, and wants to know when nobody looks at it any more. */
export interface Lender {
  /** Called once: the bytes were sent, or never will be. */
  readonly sent?: (() => void) | undefined;
}

/**
 * The server's half of one request and its response, as a codec of HTTP/2 offers it: the seam between transport and calls.
 * Nothing here waits or throws: what is said about a stream that is over is forgotten, and lenders are told so.
 */
export interface ServerStream {
  /** Bytes of the body that were given to `write` and have not gone out. */
  readonly queued: number;
  /** Body that the client may still send. */
  readonly receiveWindow: number;
  /** Lets the client send that many bytes more. */
  grant(bytes: number): void;
  /** Sends a block of headers: the response's first, or its last, the trailers, where `end` is set. */
  headers(block: HeaderBlock, end: boolean): void;
  /**
   * Sends `head`, which is copied at once, and then `parts`, which must stay as they are until the lender is told; `bytes` is the sum
   * of all. The body of a response is what was written; without trailers, `end` ends it.
   */
  write(head: Uint8Array, parts: readonly Uint8Array[], bytes: number, lender: Lender): void;
  /** Ends the response without trailers. */
  end(): void;
  /** Asks for a call of `drained` once no more than `bytes` are queued. */
  wakeAt(bytes: number): void;
  /** Ends the stream at once with an error code. Nothing is called after that. */
  reset(code: number): void;
}

/** What takes a request. Calls come in the order of the request, none after `aborted`. */
export interface RequestSink {
  /** A piece of the body, `bytes` from `start` to `end`, which are good for the time of the call only. */
  data(bytes: Buffer, start: number, end: number): void;
  /** The client has said everything. */
  end(): void;
  /** There is room for more, as `wakeAt` asked. */
  drained(): void;
  /** The connection is about to be ended from our side: this is the moment for a last word. `aborted` follows where the response is not complete. */
  interrupted?(): void;
  /** The client took the request back, or the connection is gone, before the response was complete. */
  aborted(reason: StillageError): void;
}

/** What takes the requests of one connection. */
export interface RequestTarget {
  /** Begins a request. `end` of the sink follows where there is no body. */
  open(stream: ServerStream, headers: RequestHeaders): RequestSink;
  /** Less of the connection's responses is queued than before. */
  unqueued(): void;
}
