import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { grpcStatus } from "../status.ts";
import { frame, MessageReader } from "./framing.ts";
import { outcomeOfPage, outcomeOfReset, outcomeOfTrailers } from "./outcome.ts";
import { RpcError } from "./rpc-error.ts";
import type { Session } from "./session.ts";

/** Messages that wait to be received, and their bytes; beyond either the server is made to wait. */
const maxQueuedMessages = 16;
const maxQueuedBytes = 4 << 20;

/** Less than this sent on the connection is no progress of a message that is on its way: a PING alone sends something. */
const leastSentBytes = 1 << 10;

export interface CallLimits {
  readonly maxMessageBytes: number;
  readonly timeoutMs: number | undefined;
  /** How long nothing may go forward while somebody waits for the call. */
  readonly stallMs: number | undefined;
  /** What is added to that while nothing has come of the call and nothing of it is left to be sent: then the server has work to do. */
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One call in progress: messages out and in, in any order, until its status. */
export class ClientCall {
  readonly #stream: ClientHttp2Stream;
  readonly #reader: MessageReader;
  readonly #session: Session;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** When something went forward, or somebody began to wait, and how much the connection had sent then. */
  #moved = performance.now();
  #sentThen = 0;
  #trailers: IncomingHttpHeaders | undefined;
  /** Whether anything has come of the call. */
  #begun = false;
  /** `undefined` while the call runs, then an error or null for OK. */
  #outcome: RpcError | null | undefined;
  readonly #waiting: (() => void)[] = [];
  readonly #release: () => void;

  constructor(stream: ClientHttp2Stream, session: Session, limits: CallLimits) {
    this.#stream = stream;
    this.#session = session;
    this.#reader = new MessageReader(limits.maxMessageBytes);
    this.#release = this.#bound(limits);
    let cause: Error | undefined;
    stream.once("response", (headers) => {
      this.#answered(headers);
      // Not before: over a connection in a tunnel what follows the headers may be there before these are told.
      stream.on("data", (chunk: Uint8Array) => this.#take(chunk));
    });
    stream.on("trailers", (trailers) => {
      this.#trailers = trailers;
    });
    stream.on("drain", () => this.#notify());
    stream.on("end", () => this.#ended());
    stream.on("error", (error) => {
      cause = error;
    });
    stream.on("close", () => {
      if (this.#trailers !== undefined) this.#ended();
      else this.#finish(outcomeOfReset(stream.rstCode, session.usable ? undefined : session.failure, cause));
    });
  }

  /**
   * Sends a message, in one piece or in parts; resolves when there is room for the next. A large one is not copied: its bytes are the call's until then.
   * `false`: the call is over already, which is no error by itself (a server may answer early); `receive` says how it ended.
   */
  async send(...message: readonly Uint8Array[]): Promise<boolean> {
    const stream = this.#stream;
    if (this.#over || stream.destroyed || stream.writableEnded) return false;
    stream.cork();
    for (const part of frame(message)) stream.write(part);
    stream.uncork();
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
        this.#queuedBytes -= message.length;
        if (!this.#full) this.#stream.resume();
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

  get #full(): boolean {
    return this.#queue.length >= maxQueuedMessages || this.#queuedBytes >= maxQueuedBytes;
  }

  /** Resolves at the next message, when there is room to send again, and at the end. */
  #change(): Promise<void> {
    if (this.#waiting.length === 0) this.#progress();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #progress(): void {
    this.#moved = performance.now();
    this.#sentThen = this.#session.socket.bytesWritten;
  }

  #notify(): void {
    this.#progress();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** An answer that is not gRPC's has nothing for us behind its headers: a page for people, which is not received. */
  #answered(headers: IncomingHttpHeaders): void {
    if (headers["grpc-status"] !== undefined) {
      this.#trailers = headers;
      return;
    }
    const page = outcomeOfPage(headers);
    if (page === undefined) return;
    this.#session.heard();
    this.#abort(page);
  }

  #take(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#begun = true;
    this.#session.heard();
    let arrived = false;
    try {
      for (const message of this.#reader.take(chunk)) {
        this.#queue.push(message);
        this.#queuedBytes += message.length;
        arrived = true;
      }
    } catch (error) {
      this.#abort(error as RpcError);
      return;
    }
    if (this.#full) this.#stream.pause();
    if (arrived) this.#notify();
    else this.#progress();
  }

  #ended(): void {
    if (this.#over || this.#trailers === undefined) return;
    this.#session.heard();
    const outcome = outcomeOfTrailers(this.#trailers);
    const cut = outcome === undefined && !this.#reader.between;
    this.#finish(cut ? new RpcError(grpcStatus.internal, "the last message was cut short") : (outcome ?? null));
    if (!this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #abort(error: RpcError): void {
    if (this.#over) return;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#finish(error);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #finish(outcome: RpcError | null): void {
    if (this.#over) return;
    this.#outcome = outcome;
    this.#release();
    this.#notify();
  }

  /** Arms the deadline, the watch over progress and the signal; returns what disarms them. */
  #bound({ timeoutMs, stallMs, patienceMs, signal }: CallLimits): () => void {
    const late = () => this.#abort(new RpcError(grpcStatus.deadlineExceeded, `no answer within ${timeoutMs} ms`));
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    let watch: NodeJS.Timeout | undefined;
    const stalled = (limit: number): void =>
      this.#abort(new RpcError(grpcStatus.deadlineExceeded, `nothing has come for ${limit} ms`, { stalled: true }));
    const look = (usual: number, again = false): void => {
      if (this.#over) return;
      const sending = this.#stream.writableLength > 0;
      const limit = this.#begun || sending ? usual : usual + patienceMs;
      const sent = this.#session.socket.bytesWritten - this.#sentThen;
      if (this.#waiting.length === 0 || (sending && sent >= leastSentBytes)) this.#progress();
      // A server that is busy with other calls of ours may get to this one yet.
      const left = Math.max(this.#moved, this.#session.answered) + limit - performance.now();
      if (left > 0) watch = setTimeout(look, left, usual);
      else if (again) stalled(limit);
      // Where it was this process that was busy, what came meanwhile is read first.
      else setImmediate(look, usual, true);
    };
    if (stallMs !== undefined) watch = setTimeout(look, stallMs, stallMs);
    const cancel = () => this.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    return () => {
      clearTimeout(timer);
      clearTimeout(watch);
      signal?.removeEventListener("abort", cancel);
    };
  }
}
