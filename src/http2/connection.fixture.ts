import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { StillageError } from "../base/errors.ts";
import { Http2Connection } from "./connection.ts";
import { encodeHeaders, type HeaderList } from "./hpack-encoder.ts";
import { defaultHttp2Limits, type Http2Limits } from "./limits.ts";
import { clientPreface, flag, frameHeaderBytes, frameType } from "./protocol.ts";
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
  readonly errors: (Error | undefined)[] = [];
  /** How often the queue of responses became shorter. */
  unqueuedCalls = 0;
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
      closed: (error) => this.errors.push(error),
    });
    this.connections.push(connection);
    connection.start(undefined);
  }

  open(stream: ServerStream, headers: RequestHeaders): RequestSink {
    const request = new Received(stream, headers, this.answer);
    this.requests.push(request);
    return request;
  }

  unqueued(): void {
    this.unqueuedCalls++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

export function settings(...values: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = values.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)]));
  return frame(frameType.settings, 0, 0, Buffer.concat(payload));
}

export const postHeaders: HeaderList = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/"],
];

/** A HEADERS frame with a whole block. */
export function headers(stream: number, flags = 0, list: HeaderList = postHeaders): Buffer {
  return frame(frameType.headers, flag.endHeaders | flags, stream, encodeHeaders(list));
}

/** A client that says whatever a test wants, and hears everything. */
export class RawClient {
  readonly socket: Socket;
  /** All frames so far, but those that `next` and `until` have taken. */
  readonly frames: Frame[] = [];
  closed = false;
  private rest: Buffer = Buffer.alloc(0);
  private wake = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => this.take(bytes));
    const close = (): void => {
      this.closed = true;
      this.wake.resolve();
    };
    socket.on("error", close).on("close", close).on("end", close);
  }

  /** Connects; with `first`, says that instead of a preface with SETTINGS. */
  static async connect(
    port: number,
    first: Uint8Array = Buffer.concat([clientPreface, settings()]),
  ): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new RawClient(socket);
    await once(socket, "connect");
    client.send(first);
    return client;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  send(...bytes: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** The next frame that `wanted` holds for; those before it are dropped. Fails when the connection ends first. */
  async until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      for (let frame = this.frames.shift(); frame !== undefined; frame = this.frames.shift())
        if (wanted(frame)) return frame;
      assert.ok(!this.closed, "the connection ended before the frame that was wanted");
      await this.wake.promise;
    }
  }

  /** The next frame of a type. */
  next(type: number, stream?: number): Promise<Frame> {
    return this.until((frame) => frame.type === type && (stream === undefined || frame.stream === stream));
  }

  /** The error code of the GOAWAY that comes. */
  async goaway(): Promise<number> {
    return (await this.next(frameType.goaway)).payload.readUInt32BE(4);
  }

  /** The error code of a stream's reset. */
  async reset(stream: number): Promise<number> {
    return (await this.next(frameType.rstStream, stream)).payload.readUInt32BE(0);
  }

  /** Resolves once everything that was sent before has been dealt with. */
  async settled(): Promise<void> {
    const mark = Buffer.from("settled?");
    this.send(frame(frameType.ping, 0, 0, mark));
    for (;;) {
      const at = this.frames.findIndex(({ type, payload }) => type === frameType.ping && payload.equals(mark));
      if (at >= 0) {
        this.frames.splice(at, 1);
        return;
      }
      assert.ok(!this.closed, "the connection ended");
      await this.wake.promise;
    }
  }

  async ended(): Promise<void> {
    while (!this.closed) await this.wake.promise;
  }

  private take(bytes: Buffer): void {
    let rest = Buffer.concat([this.rest, bytes]);
    while (rest.length >= frameHeaderBytes) {
      const end = frameHeaderBytes + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const [type, flags] = [rest[3] as number, rest[4] as number];
      this.frames.push({ type, flags, stream: rest.readUInt32BE(5), payload: rest.subarray(frameHeaderBytes, end) });
      rest = rest.subarray(end);
    }
    this.rest = rest;
    this.wake.resolve();
    this.wake = Promise.withResolvers();
  }
}
