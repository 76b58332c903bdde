import { grpcStatus } from "../status.ts";
import { ClientCall } from "./call.ts";
import { type PlainLimits, type PlainResponse, receivePlain } from "./plain-get.ts";
import { RpcError } from "./rpc-error.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";

/** What gRPC clients take unless told otherwise; servers keep below it. */
const defaultMaxMessageBytes = 4 << 20;

export interface ChannelOptions extends SessionOptions {
  /** Sent with every call, by lower-case name. Binary values (`-bin`) are base64. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longer messages are not received. */
  readonly maxMessageBytes?: number;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborting cancels the call. */
  readonly signal?: AbortSignal;
  /** After this the call ends with DEADLINE_EXCEEDED; the server is told. */
  readonly timeoutMs?: number;
}

export interface PlainOptions extends PlainLimits {
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server to call. Connects at the first call, and again where the connection was lost since. */
export interface Channel {
  /** One message there, one back. `method` is `package.Service/Method`. Throws RpcError. */
  unary(method: string, request: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /** Begins a call of any kind. */
  open(method: string, options?: CallOptions): ClientCall;
  /** A GET that is no call, over the same connection. `path` begins with a slash, and may have a query. Throws RpcError; any HTTP status is an answer. */
  get(path: string, options: PlainOptions): Promise<PlainResponse>;
  /** Until when the server's certificate is good, in milliseconds since 1970; `undefined` without TLS, and before the first connection. */
  readonly certificateEnd: number | undefined;
  /** Lets calls in progress end, then the connection. */
  close(): Promise<void>;
  /** Cuts the connection as it is; calls in progress end with UNAVAILABLE. */
  destroy(): void;
}

export function connect(url: string, options: ChannelOptions = {}): Channel {
  return new Http2Channel(url, options);
}

class Http2Channel implements Channel {
  readonly #url: string;
  readonly #options: ChannelOptions;
  #session: Session | undefined;

  constructor(url: string, options: ChannelOptions) {
    this.#url = url;
    this.#options = options;
  }

  open(method: string, options: CallOptions = {}): ClientCall {
    const { timeoutMs, signal } = options;
    signal?.throwIfAborted();
    const stream = this.#connected().http2.request({
      ":method": "POST",
      ":path": `/${method}`,
      te: "trailers",
      "content-type": "application/grpc",
      "user-agent": "stillage",
      ...(timeoutMs !== undefined && { "grpc-timeout": `${Math.ceil(timeoutMs)}m` }),
      ...this.#options.headers,
      ...options.headers,
    });
    return new ClientCall(stream, {
      maxMessageBytes: this.#options.maxMessageBytes ?? defaultMaxMessageBytes,
      timeoutMs,
      signal,
    });
  }

  async unary(method: string, request: Uint8Array, options?: CallOptions): Promise<Uint8Array> {
    const call = this.open(method, options);
    void call.send(request);
    call.halfClose();
    const response = await call.receive();
    if (response === undefined) throw new RpcError(grpcStatus.internal, `${method} answered without a message`);
    if ((await call.receive()) !== undefined) {
      call.cancel();
      throw new RpcError(grpcStatus.internal, `${method} answered with more than one message`);
    }
    return response;
  }

  async get(path: string, { headers, ...limits }: PlainOptions): Promise<PlainResponse> {
    limits.signal?.throwIfAborted();
    const stream = this.#connected().http2.request({
      ":method": "GET",
      ":path": path,
      "user-agent": "stillage",
      ...this.#options.headers,
      ...headers,
    });
    return await receivePlain(stream, limits);
  }

  get certificateEnd(): number | undefined {
    return this.#session?.certificateEnd();
  }

  async close(): Promise<void> {
    const http2 = this.#session?.http2;
    if (http2 === undefined || http2.destroyed) return;
    const closed = new Promise<void>((resolve) => {
      http2.once("close", resolve);
    });
    http2.close();
    await closed;
  }

  destroy(): void {
    this.#session?.socket.destroy();
  }

  #connected(): Session {
    const session = this.#session;
    if (session !== undefined && !session.socket.destroyed && !session.http2.closed) return session;
    this.#session = openSession(this.#url, this.#options);
    return this.#session;
  }
}
