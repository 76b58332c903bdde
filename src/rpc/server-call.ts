import { type Caller, unidentified } from "../base/caller.ts";
import { asStillageError, StillageError } from "../base/errors.ts";
import { isPromise, type MaybePromise } from "../base/maybe-promise.ts";
import type { Peer } from "../base/peer.ts";
import { requestIdHeader } from "../base/request-ids.ts";
import type { RequestHeaders } from "../http2/request-headers.ts";
import type { Lender, RequestSink, ServerStream } from "../http2/stream.ts";
import type { CallHost, Startable } from "./call-host.ts";
import type { Expiring } from "./deadlines.ts";
import { Expansion } from "./expansion.ts";
import type { Message } from "./message-memory.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";
import { errorResponse, errorTrailers, okTrailers, responseHeaders } from "./response-headers.ts";
import type { Route } from "./router.ts";
import type { Call, Leaving } from "./service.ts";
import { grpcStatus, statusCodeOf } from "./status.ts";

const prefixBytes = 5;
const prefix = Buffer.alloc(prefixBytes);

/** When a client whose call was cut by the end of the server may try again. */
const stoppedMs = 1000;

/** Methods that never had a longer response need not wait while a client is behind with reading. */
const shortReplyBytes = 64 * 1024;

/** The prefix of an uncompressed message, good until the next call. */
function messagePrefix(bytes: number): Buffer {
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

/** What unary calls and streams have in common: one gRPC call from its headers to its status. */
export abstract class ServerCall implements Call, RequestSink, MessageSink, Expiring, Startable {
  readonly route: Route;
  readonly peer: Peer;
  readonly deadline: number;
  caller: Caller = unidentified;
  instance = "";
  subject = "";
  found = 0;
  absent = 0;
  protected readonly stream: ServerStream;
  protected readonly host: CallHost;
  protected readonly reader: MessageReader;
  /** Why the call ended before its handler did; nothing it says is heard any more. */
  protected abandoned: StillageError | undefined;
  /** The status was decided. */
  protected decided = false;
  private readonly headers: RequestHeaders;
  private readonly startedAt: number;
  private controller: AbortController | undefined;
  private expansion: Expansion | undefined;
  /** What its connection keeps free for a response that is being made. */
  private expecting = 0;
  private headersSent = false;
  /** Whose call it is, is being found out. */
  private identifying = false;
  private place: Leaving | undefined;
  /** Ready to start, but for that. */
  private ready = false;
  private requestBytes = 0;
  /** Made when it is first asked for: most calls end without. */
  private knownId: string | undefined;
  private responseBytes = 0;

  constructor(stream: ServerStream, headers: RequestHeaders, route: Route, host: CallHost) {
    this.stream = stream;
    this.headers = headers;
    this.route = route;
    this.host = host;
    this.peer = host.peer;
    this.reader = new MessageReader(stream, this, host.memory, route.maxRequestBytes);
    this.startedAt = host.now();
    const timeout = host.timeoutOf(headers.grpcTimeout);
    this.deadline = timeout === undefined ? Number.POSITIVE_INFINITY : this.startedAt + timeout;
    if (timeout !== undefined) host.deadlines.add(this);
    host.observer?.started(this);
  }

  /** Finds out whose call it is, before anything of it is done. */
  identify(): void {
    try {
      const caller = this.host.identify(this.headers.authorization);
      if (isPromise(caller)) this.awaitCaller(caller);
      else this.admit(caller);
    } catch (error) {
      this.refuse(error);
    }
  }

  get method(): string {
    return this.route.name;
  }

  get id(): string {
    this.knownId ??= this.host.ids.of(this.headers.get(requestIdHeader));
    return this.knownId;
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.abandoned !== undefined) this.controller.abort(this.abandoned);
    return this.controller.signal;
  }

  header(name: string): string | undefined {
    return this.headers.get(name);
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.reader.push(bytes, start, end);
  }

  message(message: Message): void {
    this.requestBytes += message.bytes.length;
    this.take(message);
  }

  failed(error: StillageError): void {
    this.abandon(error, true);
  }

  end(): void {
    if (this.decided) return;
    if (this.reader.betweenMessages) this.ended();
    else this.abandon(new StillageError("invalid", "the request ends within a message"), true);
  }

  interrupted(): void {
    this.abandon(new StillageError("unavailable", "the server stops", { retryAfterMs: stoppedMs }), true);
  }

  aborted(reason: StillageError): void {
    this.abandon(reason, false);
  }

  expire(): void {
    this.abandon(new StillageError("deadline", "the call's deadline has passed"), true);
  }

  /** Ends the call from outside its handler; `tell` the client, where it does not know. */
  abandon(reason: StillageError, tell: boolean): void {
    if (this.decided) return;
    this.abandoned = reason;
    if (tell) this.sendError(reason);
    this.decide(statusCodeOf(reason), reason.message);
    this.controller?.abort(reason);
    this.wake(reason);
    this.expansion?.giveUp(reason);
  }

  drained(): void {}

  /** Begins the handler's work. */
  abstract start(): void;

  /** Takes the next request message. */
  protected abstract take(message: Message): void;

  /** The last message was taken. */
  protected abstract ended(): void;

  /** The call was abandoned: whoever waits for something hears of it. */
  protected abstract wake(reason: StillageError): void;

  /** Starts the call now, or once there is room for what it answers. */
  protected startWithRoom(): void {
    this.ready = true;
    if (this.identifying) return;
    if (this.route.largestReply > shortReplyBytes && this.host.congested) this.host.holdBack(this);
    else this.start();
  }

  /** A response is being made, and not at once. */
  protected expectReply(): void {
    const { largestReply } = this.route;
    if (largestReply <= shortReplyBytes) return;
    this.expecting = largestReply;
    this.host.replyExpected(largestReply);
  }

  /** The response that was expected is queued, or never will be. */
  protected replyMade(): void {
    if (this.expecting === 0) return;
    const bytes = this.expecting;
    this.expecting = 0;
    this.host.replyMade(bytes);
  }

  /** A message as it was before its client compressed it. Errors: `invalid`, `exhausted`. */
  protected plain({ bytes, compressed }: Message): MaybePromise<Uint8Array> {
    if (!compressed) return bytes;
    if (this.headers.grpcEncoding !== "gzip") {
      return Promise.reject(new StillageError("invalid", "a compressed message, and no grpc-encoding that says how"));
    }
    this.expansion = new Expansion(bytes, this.route.maxRequestBytes, this.host.expansions);
    return this.expansion.plain;
  }

  /** The handler does not look at the message any more. */
  protected giveBack(message: Message): void {
    this.host.memory.release(message);
    this.expansion?.release();
    this.expansion = undefined;
  }

  /** Sends a response message; the lender hears of it in any case. */
  protected sendMessage(parts: readonly Uint8Array[], lender: Lender): void {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (bytes > this.route.largestReply) this.route.largestReply = bytes;
    this.sendHeaders();
    this.responseBytes += bytes;
    this.stream.write(messagePrefix(bytes), parts, bytes + prefixBytes, lender);
  }

  protected succeed(): void {
    if (this.decided) return;
    this.sendHeaders();
    this.stream.headers(okTrailers, true);
    this.decide(grpcStatus.ok, "");
  }

  /** Ends the call with what its handler threw. */
  protected fail(thrown: unknown): void {
    const error = asStillageError(thrown);
    if (error.code === "internal" && this.abandoned === undefined) {
      const { id, method, peer } = this;
      this.host.log.error({ request: id, method, peer: peer.address, err: error.cause ?? error }, "a call failed");
    }
    if (this.decided) return;
    this.sendError(error);
    this.decide(statusCodeOf(error), error.message);
  }

  private awaitCaller(caller: Promise<Caller>): void {
    this.identifying = true;
    caller
      .then((found) => {
        this.identifying = false;
        if (this.decided) return;
        this.admit(found);
        if (this.ready) this.startWithRoom();
      })
      .catch((error) => this.refuse(error));
  }

  /** Errors: `unavailable`. */
  private admit(caller: Caller): void {
    this.caller = caller;
    this.place = this.host.gate?.enter(this);
  }

  private refuse(thrown: unknown): void {
    const error = asStillageError(thrown);
    if (error.code === "internal") {
      const { id, peer } = this;
      this.host.log.error({ request: id, peer: peer.address, err: error.cause }, "who calls is unclear");
    }
    this.abandon(error, true);
  }

  private sendHeaders(): void {
    if (this.headersSent) return;
    this.headersSent = true;
    this.stream.headers(responseHeaders, false);
  }

  private sendError(error: StillageError): void {
    this.stream.headers(this.headersSent ? errorTrailers(error, this.id) : errorResponse(error, this.id), true);
  }

  private decide(status: number, message: string): void {
    this.decided = true;
    this.reader.stop();
    this.place?.leave();
    const { host } = this;
    if (this.deadline !== Number.POSITIVE_INFINITY) host.deadlines.remove(this);
    host.observer?.finished(this, status, message, this.requestBytes, this.responseBytes, host.now() - this.startedAt);
  }
}
