import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { lookupHost } from "../../base/host-lookup.ts";
import { type HttpProxy, openTunnel, ProxyError } from "../../base/proxy.ts";
import { grpcStatus } from "../status.ts";
import { ConnectionError, type ConnectionFailure, type ConnectionStage, socketMessage } from "./connection-error.ts";
import { RpcError } from "./rpc-error.ts";
import { parseServerUrl, type ServerPlace } from "./server-url.ts";
import { watchSilence } from "./silence.ts";
import { TunnelledSocket } from "./tunnelled-socket.ts";

/** How a server is reached and trusted. Keys and certificates are PEM. */
export interface SessionOptions {
  /** Certificates to trust instead of the system's. */
  readonly ca?: string | Uint8Array;
  /** The client's own certificate, and its key. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name to find in the server's certificate, where it is not the URL's host. */
  readonly serverName?: string;
  /** Connects through a tunnel of this one. A socket of this machine needs none. */
  readonly proxy?: HttpProxy;
  /** How long connecting may take, from the first packet to the server's first SETTINGS. Without it as long as the system waits. */
  readonly connectMs?: number;
  /** A server that says nothing for so long while calls are in progress is asked by a PING. Without it never. */
  readonly pingAfterMs?: number;
  /** After so long without a word, an answer to the PING among them, the connection is given up. */
  readonly silentMs?: number;
}

/** Large enough that a long, fast line is not kept waiting: HTTP/2's own 64 KiB allows 64 KiB for each round trip. */
const streamWindowBytes = 4 << 20;
const connectionWindowBytes = 16 << 20;

/** Of DATA that we receive: four times HTTP/2's own, because each frame costs an event. Larger ones come in pieces of the socket's 64 KiB anyway. */
const frameBytes = 64 << 10;

/** In MiB. Node refuses answers while more than this waits to be sent, 10 unless told otherwise; who sends bounds that himself. */
const maxSessionMemory = 4096;

/** One connection: an HTTP/2 session and the socket below it. */
export class Session {
  readonly socket: Socket | TunnelledSocket;
  readonly #proxy: HttpProxy | undefined;
  readonly http2: ClientHttp2Session;
  #stage: ConnectionStage = "connect";
  #failure: RpcError | undefined;
  #calls = 0;
  #answered = 0;
  #certificateEnd: number | undefined;

  /** Opens a connection. Throws TypeError for what is no URL of a server. */
  constructor(url: string, options: SessionOptions) {
    const place = parseServerUrl(url);
    const socket = openSocket(place, options);
    this.#proxy = options.proxy;
    const http2 = connect(place.authority, {
      maxSessionMemory,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes, maxFrameSize: frameBytes },
      createConnection: () => socket,
    });
    this.socket = socket;
    this.http2 = http2;
    socket.once("connect", () => {
      this.#stage = place.tls ? "tls" : "settings";
    });
    socket.once("secureConnect", (at = socket) => this.#secured(at as TLSSocket));
    http2.once("connect", () => {
      if (!http2.destroyed) http2.setLocalWindowSize(connectionWindowBytes);
    });
    http2.once("remoteSettings", () => {
      this.#stage = "open";
    });
    // Every call in progress hears of it by itself; without a listener it would end the process.
    http2.on("error", (error) => this.#note("error", socketMessage(error), error));
    socket.on("error", (error) => this.#note("error", socketMessage(error), error));
    this.#limitConnecting(options.connectMs);
    watchSilence(this, http2, options);
  }

  /** Whether calls can be begun. */
  get usable(): boolean {
    return !(this.#failure !== undefined || this.socket.destroyed || this.http2.closed || this.http2.destroyed);
  }

  /** Whether the server ever spoke HTTP/2 here. */
  get reached(): boolean {
    return this.#stage === "open";
  }

  /** Until when the server's certificate is good, in milliseconds since 1970; `undefined` without TLS, and until that is agreed on. */
  get certificateEnd(): number | undefined {
    return this.#certificateEnd;
  }

  /** Calls in progress. */
  get calls(): number {
    return this.#calls;
  }

  /** When something came of any call. */
  get answered(): number {
    return this.#answered;
  }

  /** Notes that something has come of a call. */
  heard(): void {
    this.#answered = performance.now();
  }

  /** Why it broke, or what to say of a connection that ended without a reason. */
  get failure(): RpcError {
    return this.#failure ?? this.#errorOf("ended", endings[this.#stage]);
  }

  /** Begins a call. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.http2.request(headers);
    this.#calls++;
    stream.once("close", () => this.#calls--);
    return stream;
  }

  /** Ends the connection as it is, because nothing came in time. */
  giveUp(message: string): void {
    this.#note("silent", message);
    this.socket.destroy();
  }

  /** Lets calls in progress end, then the connection. */
  async close(): Promise<void> {
    const http2 = this.http2;
    if (http2.destroyed) return;
    // The goodbye of a connection that never stood would wait for it.
    if (!this.reached && this.#calls === 0) return this.destroy();
    const closed = new Promise<void>((resolve) => {
      http2.once("close", resolve);
    });
    http2.close();
    await closed;
  }

  /** Cuts the connection; calls in progress end with UNAVAILABLE. */
  destroy(): void {
    this.socket.destroy();
  }

  #note(failure: ConnectionFailure, message: string, cause?: unknown): void {
    this.#failure ??= this.#errorOf(failure, message, cause);
  }

  #errorOf(failure: ConnectionFailure, message: string, cause?: unknown): RpcError {
    const proxy = this.#proxy;
    const what =
      proxy === undefined || cause instanceof ProxyError ? message : `${message}, by the proxy ${proxy.shown}`;
    const error = new ConnectionError(this.#stage, failure, what, { cause, proxy });
    return new RpcError(grpcStatus.unavailable, what, { cause: error });
  }

  #secured(socket: TLSSocket): void {
    const { alpnProtocol } = socket;
    this.#stage = "settings";
    // Read now: a socket that was closed knows no certificate any more.
    this.#certificateEnd = Date.parse(socket.getPeerCertificate().valid_to);
    if (alpnProtocol === "h2") return;
    this.#note(
      "no-http2",
      `the server did not choose HTTP/2 in the TLS handshake${alpnProtocol ? ` but ${alpnProtocol}` : ""}`,
    );
    this.socket.destroy();
  }

  #limitConnecting(ms: number | undefined): void {
    if (ms === undefined) return;
    const late = (): void => {
      if (!this.reached) this.giveUp(`${waits[this.#stage]} within ${ms} ms`);
    };
    // Where it was this process that was busy, what came meanwhile is read first.
    const timer = setTimeout(() => setImmediate(late), ms);
    this.http2.once("remoteSettings", () => clearTimeout(timer));
    this.socket.once("close", () => clearTimeout(timer));
  }
}

const endings: Readonly<Record<ConnectionStage, string>> = {
  connect: "the connection could not be made",
  tls: "the server ended the connection during the TLS handshake",
  settings: "the server ended the connection before it said anything of HTTP/2",
  open: "the connection ended",
};

const waits: Readonly<Record<ConnectionStage, string>> = {
  connect: "no connection",
  tls: "the TLS handshake was not finished",
  settings: "the server accepted the connection and said nothing of HTTP/2",
  open: "no answer",
};

function openSocket({ tls, where }: ServerPlace, options: SessionOptions): Socket | TunnelledSocket {
  const { proxy } = options;
  if (proxy !== undefined && "host" in where) return openThrough(proxy, { tls, where }, options);
  if (!tls) return connectPlain({ ...where, noDelay: true, lookup: lookupHost });
  return connectTls({ ...where, ...trust(options), lookup: lookupHost }).setNoDelay();
}

/** Trust, and the name to find, are those of a connection without the proxy. */
function openThrough(
  proxy: HttpProxy,
  {
    tls,
    where: { host, port },
  }: { readonly tls: boolean; readonly where: { readonly host: string; readonly port: number } },
  options: SessionOptions,
): TunnelledSocket {
  const { connectMs } = options;
  return new TunnelledSocket(async (signal, reached) => {
    const socket = await openTunnel(proxy, host, port, { signal, ...(connectMs !== undefined && { connectMs }) });
    socket.setNoDelay();
    reached("connect", socket);
    if (!tls) return socket;
    const secure = connectTls({ servername: isIP(host) ? "" : host, ...trust(options), host, socket });
    signal.addEventListener("abort", () => secure.destroy(), { once: true });
    await once(secure, "secureConnect", { signal });
    reached("secureConnect", secure);
    return secure;
  });
}

function trust({ ca, cert, key, serverName }: SessionOptions): ConnectionOptions {
  return {
    ALPNProtocols: ["h2"],
    ...(serverName !== undefined && { servername: serverName }),
    ...(ca !== undefined && { ca: Buffer.from(ca) }),
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
  };
}
