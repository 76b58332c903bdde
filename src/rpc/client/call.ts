import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { grpcStatus } from "../status.ts";
import { frame, MessageReader } from "./framing.ts";
import { outcomeOfReset, outcomeOfTrailers } from "./outcome.ts";
import { RpcError } from "./rpc-error.ts";

/** Messages that wait to be received; beyond this the server is made to wait. */
const maxQueuedMessages = 16;

export interface CallLimits {
  readonly maxMessageBytes: number;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One call in progress: messages out and in, in any order, until its status. */
export class ClientCall {
  readonly #stream: ClientHttp2Stream;
  readonly #reader: MessageReader;
  readonly #queue: Uint8Array[] = [];
  #trailers: IncomingHttpHeaders | undefined;
  /** `undefined` while the call runs, then an error or null for OK. */
  #outcome: RpcError | null | undefined;
  readonly #waiting: (() => void)[] = [];
  readonly #release: () => void;

  constructor(stream: ClientHttp2Stream, limits: CallLimits) {
    this.#stream = stream;
    this.#reader = new MessageReader(limits.maxMessageBytes);
    this.#release = this.#bound(limits);
    let cause: Error | undefined;
    stream.on("response", (headers) => {
      if (headers["grpc-status"] !== undefined || headers[":status"] !== 200) this.#trailers = headers;
    });
    stream.on("trailers", (trailers) => {
      this.#trailers = trailers;
    });
    stream.on("data", (chunk: Uint8Array) => this.#take(chunk));
    stream.on("drain", () => this.#notify());
    stream.on("end", () => this.#ended());
    stream.on("error", (error) => {
      cause = error;
    });
    stream.on("close", () => {
      const session = stream.session;
      const gone = session === undefined || session.destroyed || session.closed;
      if (this.#trailers !== undefined) this.#ended();
      else this.#finish(outcomeOfReset(stream.rstCode, gone, cause));
    });
  }

  /**
   * Sends a message; resolves when there is room for the next. `false`: the call is over already, which is no error by itself
   * (a server may answer early); `receive` says how it ended.
   */
  async send(message: Uint8Array): Promise<boolean> {
    if (this.#over || this.#stream.destroyed || this.#stream.writableEnded) return false;
    this.#stream.write(frame(message));
    while (!this.#over && this.#stream.writableNeedDrain) await this.#change();
    return !this.#over;
  }

  /** Says that no more messages follow. */
  halfClose(): void {
    if (!this.#over && !this.#stream.destroyed) this.#stream.end();
  }

  /** The next message, `undefined` after the last one of a call that ended well. Throws the RpcError of one that did not. */
  async receive(): Promise<Uint8Array | undefined> {
    for (;;) {
      const message = this.#queue.shift();
      if (message !== undefined) {
        if (this.#queue.length < maxQueuedMessages) this.#stream.resume();
        return message;
      }
      if (this.#outcome === null) return undefined;
      if (this.#outcome !== undefined) throw this.#outcome;
      await this.#change();
    }
  }

  /** Ends the call at once, with CANCELLED unless it is over. */
  cancel(): void {
    this.#abort(new RpcError(grpcStatus.cancelled, "cancelled by the caller"));
  }

  get #over(): boolean {
    return this.#outcome !== undefined;
  }

  /** Resolves at the next message, when there is room to send again, and at the end. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #take(chunk: Uint8Array): void {
    if (this.#over) return;
    try {
      for (const message of this.#reader.take(chunk)) this.#queue.push(message);
    } catch (error) {
      this.#abort(error as RpcError);
      return;
    }
    if (this.#queue.length >= maxQueuedMessages) this.#stream.pause();
    this.#notify();
  }

  #ended(): void {
    if (this.#over || this.#trailers === undefined) return;
    const outcome = outcomeOfTrailers(this.#trailers);
    const cut = outcome === undefined && !this.#reader.between;
    this.#finish(cut ? new RpcError(grpcStatus.internal, "the last message was cut short") : (outcome ?? null));
    if (!this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #abort(error: RpcError): void {
    if (this.#over) return;
    this.#queue.length = 0;
    this.#finish(error);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #finish(outcome: RpcError | null): void {
    if (this.#over) return;
    this.#outcome = outcome;
    this.#release();
    this.#notify();
  }

  /** Arms the deadline and the signal; returns what disarms them. */
  #bound(limits: CallLimits): () => void {
    const late = () =>
      this.#abort(new RpcError(grpcStatus.deadlineExceeded, `no answer within ${limits.timeoutMs} ms`));
    const timer = limits.timeoutMs === undefined ? undefined : setTimeout(late, limits.timeoutMs);
    const cancel = () => this.cancel();
    limits.signal?.addEventListener("abort", cancel, { once: true });
    return () => {
      clearTimeout(timer);
      limits.signal?.removeEventListener("abort", cancel);
    };
  }
}
