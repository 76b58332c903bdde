import { type Caller, type Identify, unidentified } from "../base/caller.ts";
import { asStillageError, type StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { Peer } from "../base/peer.ts";
import { type RequestIds, requestIdHeader } from "../base/request-ids.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/exchange.ts";
import { encodeHeaders } from "../http2/hpack-encoder.ts";
import { errorCode } from "../http2/protocol.ts";
import type { RequestHeaders } from "../http2/request-headers.ts";
import type { Lender, RequestSink, ServerStream } from "../http2/stream.ts";

/** Of a response's body, before its source has to wait. */
const sendAheadBytes = 256 * 1024;

const noBytes = new Uint8Array(0);
const nobody: Lender = {};

/** A request over HTTP/2 that is no gRPC call, and its response. */
export class PlainExchange implements HttpRequest, RequestSink {
  readonly method: string;
  readonly path: string;
  readonly peer: Peer;
  readonly identify: Identify;
  caller: Caller = unidentified;
  instance = "";
  route = "";
  received = 0;
  private readonly stream: ServerStream;
  private readonly list: RequestHeaders;
  private readonly queryText: string;
  private readonly windowBytes: number;
  private readonly unheardBodyMs: number;
  private readonly ids: RequestIds;
  private knownId: string | undefined;
  private readonly controller = new AbortController();
  /** Pieces of the body that were not received yet; the window bounds them. */
  private readonly arrived: Buffer[] = [];
  private complete = false;
  private abandoned: StillageError | undefined;
  /** The handler has its answer: what still comes is dropped. */
  private answering = false;
  /** The client has said everything, or all that it may. */
  private readonly said = Promise.withResolvers<void>();
  private receiver: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  private sender: PromiseWithResolvers<void> | undefined;

  constructor(
    stream: ServerStream,
    headers: RequestHeaders,
    { peer, identify, ids }: { readonly peer: Peer; readonly identify: Identify; readonly ids: RequestIds },
    unheardBodyMs: number,
  ) {
    const question = headers.path.indexOf("?");
    this.method = headers.method;
    this.path = question < 0 ? headers.path : headers.path.slice(0, question);
    this.queryText = question < 0 ? "" : headers.path.slice(question + 1);
    this.peer = peer;
    this.identify = identify;
    this.ids = ids;
    this.stream = stream;
    this.list = headers;
    this.windowBytes = stream.receiveWindow;
    this.unheardBodyMs = unheardBodyMs;
  }

  get id(): string {
    this.knownId ??= this.ids.of(this.list.get(requestIdHeader));
    return this.knownId;
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.queryText);
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    const { list } = this;
    const headers: Record<string, string | undefined> = Object.create(null);
    for (const { name } of list.fields) if (!name.startsWith(":")) headers[name] = list.get(name);
    if (list.authority !== "") headers.host = list.authority;
    return headers;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  receive(): MaybePromise<Uint8Array | undefined> {
    this.replenish();
    if (this.abandoned !== undefined) throw this.abandoned;
    const piece = this.arrived.shift();
    if (piece !== undefined || this.complete) return piece;
    this.receiver = Promise.withResolvers();
    return this.receiver.promise;
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.received += end - start;
    if (this.answering) {
      if (this.stream.receiveWindow === 0) this.said.resolve();
      return;
    }
    this.arrived.push(Buffer.from(bytes.subarray(start, end)));
    this.proceed();
  }

  end(): void {
    this.complete = true;
    this.said.resolve();
    this.proceed();
  }

  drained(): void {
    const { sender } = this;
    this.sender = undefined;
    sender?.resolve();
  }

  aborted(reason: StillageError): void {
    this.abandoned = reason;
    this.arrived.length = 0;
    this.controller.abort(reason);
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.reject(reason);
    this.said.resolve();
    this.drained();
  }

  /** Lets the handler answer. Its errors become a 500. */
  async run(handle: HttpHandler, log: Log): Promise<void> {
    let response: HttpResponse;
    try {
      response = await handle(this);
    } catch (error) {
      if (this.abandoned !== undefined) return;
      log.error(
        { request: this.id, path: this.path, peer: this.peer.address, err: asStillageError(error).cause ?? error },
        "a request failed",
      );
      const headers = { "content-type": "text/plain", [requestIdHeader]: this.id };
      response = { status: 500, headers, body: Buffer.from("internal error\n") };
    }
    await this.heardOut();
    try {
      await this.answer(response);
    } catch (error) {
      const { id, path, peer } = this;
      if (this.abandoned === undefined)
        log.error({ request: id, path, peer: peer.address, err: error }, "a response broke off");
      this.stream.reset(errorCode.internalError);
    }
  }

  /**
   * Waits until the client has said what it has to say, though nobody listens: most clients read a response only then, and what is
   * wrong with a request may come last. But what does not fit its window is not waited for, nor a client that asked first, and none
   * for long.
   */
  private async heardOut(): Promise<void> {
    this.answering = true;
    this.arrived.length = 0;
    if (this.list.get("expect") !== undefined || this.stream.receiveWindow === 0) return;
    if (this.complete) return;
    const timer = setTimeout(this.said.resolve, this.unheardBodyMs);
    await this.said.promise;
    clearTimeout(timer);
  }

  private async answer({ status, headers, body }: HttpResponse): Promise<void> {
    const list: [string, string][] = [[":status", String(status)], ...Object.entries(headers)];
    if (body instanceof Uint8Array && headers["content-length"] === undefined)
      list.push(["content-length", String(body.length)]);
    const bare = body === undefined || this.method === "HEAD" || (body instanceof Uint8Array && body.length === 0);
    this.stream.headers(encodeHeaders(list), bare);
    if (bare) return;
    if (body instanceof Uint8Array) this.stream.write(noBytes, [body], body.length, nobody);
    else for await (const piece of body) await this.send(piece);
    this.stream.end();
  }

  private send(piece: Uint8Array): MaybePromise<void> {
    if (this.abandoned !== undefined) throw this.abandoned;
    this.stream.write(noBytes, [piece], piece.length, nobody);
    if (this.stream.queued <= sendAheadBytes) return undefined;
    this.stream.wakeAt(sendAheadBytes / 2);
    this.sender = Promise.withResolvers();
    return this.sender.promise;
  }

  private proceed(): void {
    const { receiver } = this;
    if (receiver === undefined) return;
    this.receiver = undefined;
    const piece = this.arrived.shift();
    receiver.resolve(piece);
  }

  private replenish(): void {
    const waiting = this.arrived.reduce((sum, { length }) => sum + length, 0);
    const missing = this.windowBytes - waiting - this.stream.receiveWindow;
    if (missing >= this.windowBytes / 2) this.stream.grant(missing);
  }
}
