import type { Socket } from "node:net";
import type { Authenticate, Identify } from "../base/caller.ts";
import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Peer } from "../base/peer.ts";
import { type RequestIds, requestIdHeader } from "../base/request-ids.ts";
import type { HttpHandler } from "../http/exchange.ts";
import { Http2Connection } from "../http2/connection.ts";
import { encodeHeaders } from "../http2/hpack-encoder.ts";
import { ConnectionError, errorCode } from "../http2/protocol.ts";
import type { RequestHeaders } from "../http2/request-headers.ts";
import type { RequestSink, RequestTarget, ServerStream } from "../http2/stream.ts";
import type { CallHost, Startable } from "./call-host.ts";
import type { Deadlines } from "./deadlines.ts";
import { parseTimeout } from "./header-text.ts";
import type { Limits } from "./limits.ts";
import type { ConnectionMemory, MessageMemory } from "./message-memory.ts";
import type { CallObserver } from "./observer.ts";
import { PlainExchange } from "./plain-exchange.ts";
import { errorResponse } from "./response-headers.ts";
import type { Route } from "./router.ts";
import type { Gate } from "./service.ts";
import { StreamCall } from "./stream-call.ts";
import { UnaryCall } from "./unary-call.ts";

/** What all connections of a server share. */
export interface Shared {
  readonly routes: ReadonlyMap<string, Route>;
  readonly http: HttpHandler | undefined;
  readonly authenticate: Authenticate;
  readonly gate: Gate | undefined;
  readonly observer: CallObserver | undefined;
  readonly log: Log;
  readonly ids: RequestIds;
  readonly limits: Limits;
  readonly memory: MessageMemory;
  readonly expansions: MessageMemory;
  readonly deadlines: Deadlines;
  now(): number;
  /** Responses that one connection may have waiting or in the making before its calls wait as well. */
  responseShare(): number;
  handlerStarted(): void;
  handlerEnded(): void;
}

/** Responses that a connection may always have, which is more than the sockets' buffers hold. */
const saturationBytes = 4 * 1024 * 1024;

const nothing = (): void => {};

/** For streams that are over before they begin. */
const deaf: RequestSink = { data: nothing, end: nothing, drained: nothing, aborted: nothing };

const plainHeadersTooLarge = encodeHeaders([[":status", "431"]]);
const notGrpc = encodeHeaders([[":status", "415"]]);

/** `application/grpc`, alone or with the only message format that there is. */
const grpcType = /^application\/grpc(\+proto)?(;|$)/;

/** The calls of one connection. */
export class ServerConnection implements RequestTarget, CallHost {
  readonly peer: Peer;
  readonly identify: Identify;
  readonly gate: Gate | undefined;
  readonly log: Log;
  readonly ids: RequestIds;
  readonly observer: CallObserver | undefined;
  readonly memory: ConnectionMemory;
  readonly expansions: ConnectionMemory;
  readonly deadlines: Deadlines;
  readonly http2: Http2Connection;
  private readonly shared: Shared;
  private readonly heldBack = new Set<Startable>();
  private running = 0;
  /** Responses that are being made, by estimate. */
  private expected = 0;
  private lastTimeout = "";
  private lastTimeoutMs: number | undefined;

  constructor(socket: Socket, peer: Peer, shared: Shared, closed: (connection: ServerConnection) => void) {
    this.peer = peer;
    this.identify = shared.authenticate(peer);
    this.gate = shared.gate;
    this.shared = shared;
    this.log = shared.log;
    this.ids = shared.ids;
    this.observer = shared.observer;
    this.memory = shared.memory.connection(peer.local ? undefined : peer.network);
    this.expansions = shared.expansions.connection();
    this.deadlines = shared.deadlines;
    this.http2 = new Http2Connection(socket, {
      limits: shared.limits,
      target: this,
      now: shared.now,
      closed: (error) => {
        this.report(error);
        closed(this);
      },
    });
  }

  open(stream: ServerStream, headers: RequestHeaders): RequestSink {
    // Clients may reset streams as they like, but not to have more work done than they could otherwise.
    if (this.running >= 2 * this.shared.limits.maxConcurrentStreams) {
      stream.reset(errorCode.refusedStream);
      return deaf;
    }
    return isGrpc(headers) ? this.openCall(stream, headers) : this.openPlain(stream, headers);
  }

  unqueued(): void {
    if (this.heldBack.size === 0) return;
    for (const call of this.heldBack) {
      if (this.congested) return;
      this.heldBack.delete(call);
      call.start();
    }
  }

  get saturated(): boolean {
    return this.http2.queued > saturationBytes;
  }

  get congested(): boolean {
    const bytes = this.http2.queued + this.expected;
    return bytes > saturationBytes && bytes > this.shared.responseShare();
  }

  now(): number {
    return this.shared.now();
  }

  timeoutOf(value: string): number | undefined {
    if (value === "") return undefined;
    // Calls that follow one another mostly state the same.
    if (value !== this.lastTimeout) {
      this.lastTimeout = value;
      this.lastTimeoutMs = parseTimeout(value);
    }
    return this.lastTimeoutMs;
  }

  holdBack(call: Startable): void {
    this.heldBack.add(call);
  }

  letGo(call: Startable): void {
    this.heldBack.delete(call);
  }

  handlerStarted(): void {
    this.running++;
    this.shared.handlerStarted();
  }

  handlerEnded(): void {
    this.running--;
    this.shared.handlerEnded();
  }

  replyExpected(bytes: number): void {
    this.expected += bytes;
  }

  replyMade(bytes: number): void {
    this.expected -= bytes;
    this.unqueued();
  }

  private report(error: Error | undefined): void {
    if (error === undefined) return;
    const { address } = this.peer;
    const common = error instanceof ConnectionError || "code" in error;
    if (common) this.log.debug({ peer: address, reason: error.message }, "a connection failed");
    else this.log.error({ peer: address, err: error }, "a connection was ended by an error of ours");
  }

  private openCall(stream: ServerStream, headers: RequestHeaders): RequestSink {
    const route = this.shared.routes.get(headers.path);
    const error = refusal(headers);
    if (route === undefined || error !== undefined) {
      const unknown = new StillageError("unsupported", `${headers.path} is not served here`);
      const request = this.ids.of(headers.get(requestIdHeader));
      stream.headers(errorResponse(error ?? unknown, request), true);
      return deaf;
    }
    const { method } = route;
    const call =
      method.kind === "unary"
        ? new UnaryCall(stream, headers, route, method.handle, this)
        : new StreamCall(stream, headers, route, method, this);
    call.identify();
    return call;
  }

  private openPlain(stream: ServerStream, headers: RequestHeaders): RequestSink {
    const { http } = this.shared;
    if (http === undefined || headers.tooLarge) {
      stream.headers(headers.tooLarge ? plainHeadersTooLarge : notGrpc, true);
      return deaf;
    }
    const exchange = new PlainExchange(stream, headers, this, this.shared.limits.unheardBodyMs);
    this.handlerStarted();
    void exchange.run(http, this.log).finally(() => this.handlerEnded());
    return exchange;
  }
}

function isGrpc(headers: RequestHeaders): boolean {
  const { contentType } = headers;
  return contentType === "application/grpc" || grpcType.test(contentType);
}

function refusal(headers: RequestHeaders): StillageError | undefined {
  if (headers.tooLarge) return new StillageError("exhausted", "the call's metadata is too large");
  if (headers.method !== "POST") return new StillageError("invalid", "a gRPC call that is no POST");
  const { grpcEncoding } = headers;
  if (grpcEncoding !== "" && grpcEncoding !== "identity" && grpcEncoding !== "gzip") {
    return new StillageError("unsupported", `grpc-encoding ${grpcEncoding}; identity and gzip are served`);
  }
  return undefined;
}
