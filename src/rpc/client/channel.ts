import { grpcStatus } from "../status.ts";
import { ClientCall } from "./call.ts";
import { type PlainLimits, type PlainResponse, receivePlain } from "./plain-get.ts";
import { RpcError } from "./rpc-error.ts";
import { Session, type SessionOptions } from "./session.ts";

/** What gRPC clients take unless told otherwise; servers keep below it. */
const defaultMaxMessageBytes = 4 << 20;

type Headers = Readonly<Record<string, string>>;

export interface ChannelOptions extends SessionOptions {
  /** Sent with every call, by lower-case name. Binary values (`-bin`) are base64. A function is asked for each call. */
  readonly headers?: Headers | (() => Headers);
  /** Longer messages are not received. */
  readonly maxMessageBytes?: number;
  /** Of calls that do not say; see CallOptions. */
  readonly timeoutMs?: number;
  readonly stallMs?: number;
}

export interface CallOptions {
  readonly headers?: Headers;
  /** Aborting cancels the call. */
  readonly signal?: AbortSignal;
  /** After this the call ends with DEADLINE_EXCEEDED; the server is told. */
  readonly timeoutMs?: number;
  /**
   * A call in which nothing goes forward for so long while it is waited for, and in no other call of the connection either, ends with DEADLINE_EXCEEDED. Without it such a
   * call waits.
   */
  readonly stallMs?: number;
  /** What is added to that where the server has much to do before it answers: until it begins to, and while nothing is left to be sent. */
  readonly patienceMs?: number;
}

export interface PlainOptions extends PlainLimits {
  readonly headers?: Headers;
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
  /** Whether the server ever spoke HTTP/2 to us. */
  readonly reached: boolean;
  /** Lets calls in progress end, then the connection. */
  close(): Promise<void>;
  /** Cuts the connection as it is; calls in progress end with UNAVAILABLE. */
  destroy(): void;
}

export function connect(url: string, options: ChannelOptions = {}): Channel {
  return new Http2Channel(url, options);
}

/** At most eight digits (doc/PROTOCOL-HTTP2.md, "Timeout"). */
function timeoutText(ms: number): string {
  return ms < 1e8 ? `${Math.ceil(ms)}m` : `${Math.min(Math.ceil(ms / 1000), 99_999_999)}S`;
}

class Http2Channel implements Channel {
  readonly #url: string;
  readonly #options: ChannelOptions;
  #session: Session | undefined;
  #reached = false;
  #certificateEnd: number | undefined;

  constructor(url: string, options: ChannelOptions) {
    this.#url = url;
    this.#options = options;
  }

  open(method: string, options: CallOptions = {}): ClientCall {
    const { timeoutMs = this.#options.timeoutMs, signal, patienceMs = 0 } = options;
    const stallMs = options.stallMs ?? this.#options.stallMs;
    signal?.throwIfAborted();
    const session = this.#connected();
    const stream = session.request({
      ":method": "POST",
      ":path": `/${method}`,
      te: "trailers",
      "content-type": "application/grpc",
      "user-agent": "stillage",
      ...(timeoutMs !== undefined && { "grpc-timeout": timeoutText(timeoutMs) }),
      ...this.#headers(),
      ...options.headers,
    });
    const maxMessageBytes = this.#options.maxMessageBytes ?? defaultMaxMessageBytes;
    return new ClientCall(stream, session, { maxMessageBytes, timeoutMs, stallMs, patienceMs, signal });
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
    const session = this.#connected();
    const stream = session.request({
      ":method": "GET",
      ":path": path,
      "user-agent": "stillage",
      ...this.#headers(),
      ...headers,
    });
    return await receivePlain(stream, session, limits);
  }

  get certificateEnd(): number | undefined {
    return this.#session?.certificateEnd ?? this.#certificateEnd;
  }

  get reached(): boolean {
    return this.#reached || this.#session?.reached === true;
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  destroy(): void {
    this.#session?.destroy();
  }

  #headers(): Headers {
    const { headers = {} } = this.#options;
    return typeof headers === "function" ? headers() : headers;
  }

  #connected(): Session {
    if (this.#session?.usable === true) return this.#session;
    this.#reached = this.reached;
    this.#certificateEnd = this.certificateEnd;
    this.#session = new Session(this.#url, this.#options);
    return this.#session;
  }
}
