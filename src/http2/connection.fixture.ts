import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { StillageError } from "../base/errors.ts";
import { Http2Connection } from "./connection.ts";
import { encodeHeaders } from "./hpack-encoder.ts";
import { defaultHttp2Limits, type Http2Limits } from "./limits.ts";
import type { RequestHeaders } from "./request-headers.ts";
import type { RequestSink, RequestTarget, ServerStream } from "./stream.ts";

/** A request that a test server has got. */
export class Received implements RequestSink {
  readonly stream: ServerStream;
  readonly headers: RequestHeaders;
  readonly chunks: Buffer[] = [];
  readonly ended = Promise.withResolvers<void>();
  readonly abortedWith = Promise.withResolvers<StillageError>();
  private readonly onEnd: (request: Received) => void;
  private wake: (() => void) | undefined;

  constructor(stream: ServerStream, headers: RequestHeaders, onEnd: (request: Received) => void) {
    this.stream = stream;
    this.headers = headers;
    this.onEnd = onEnd;
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
    this.stream.grant(end - start);
  }

  end(): void {
    this.ended.resolve();
    this.onEnd(this);
  }

  aborted(reason: StillageError): void {
    this.abortedWith.resolve(reason);
  }

  drained(): void {
    this.wake?.();
  }

  /** Resolves once no more than `bytes` of the response are queued. */
  room(bytes: number): Promise<void> {
    if (this.stream.queued <= bytes) return Promise.resolve();
    this.stream.wakeAt(bytes);
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/** Answers 200 with the body that came. */
export function echo({ stream, body }: Received): void {
  stream.headers(ok, false);
  stream.write(body.subarray(0, 5), [body.subarray(5)], body.length, {});
  stream.end();
}

const ok = encodeHeaders([[":status", "200"]]);

/** Connections of HTTP/2 on a free port, with `answer` to what they get. */
export class TestListener implements RequestTarget {
  readonly requests: Received[] = [];
  readonly connections: Http2Connection[] = [];
  /** Why each connection that is over ended. */
  readonly errors: (Error | undefined)[] = [];
  /** The time that connections see. */
  time = 1000;
  readonly server: Server;
  private readonly answer: (request: Received) => void;
  private readonly limits: Http2Limits;

  private constructor(answer: (request: Received) => void, limits: Http2Limits) {
    this.answer = answer;
    this.limits = limits;
    this.server = createServer((socket) => this.accept(socket));
  }

  static async start(answer = echo, limits: Partial<Http2Limits> = {}): Promise<TestListener> {
    const listener = new TestListener(answer, { ...defaultHttp2Limits, ...limits });
    listener.server.listen(0, "127.0.0.1");
    await once(listener.server, "listening");
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  accept(socket: Socket): void {
    const connection = new Http2Connection(socket, {
      limits: this.limits,
      target: this,
      now: () => this.time,
      closed: (error) => this.errors.push(error),
    });
    this.connections.push(connection);
    connection.start(undefined);
  }

  /** Resolves once so many connections are over. */
  async over(connections: number): Promise<void> {
    while (this.errors.length < connections) await new Promise(setImmediate);
  }

  open(stream: ServerStream, headers: RequestHeaders): RequestSink {
    const request = new Received(stream, headers, this.answer);
    this.requests.push(request);
    return request;
  }

  unqueued(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}
