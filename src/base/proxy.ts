import type { Agent, RequestOptions } from "node:https";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { StillageError } from "./errors.ts";
import { lookupHost } from "./host-lookup.ts";
import { nodeHttp, nodeHttps } from "./node-http.ts";

/** A proxy of HTTP. */
export interface HttpProxy {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** `USER:PASSWORD`. */
  readonly credentials: string | undefined;
  /** Its URL as it may be printed, without these. */
  readonly shown: string;
}

/** What a proxy keeps us from, in words that name it. */
export class ProxyError extends Error {
  /** The socket's, where the proxy cannot be reached. */
  readonly code: string | undefined;
  /** What the proxy answered. */
  readonly status: number | undefined;

  constructor(message: string, { code, status, cause }: { code?: string; status?: number; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ProxyError";
    this.code = code;
    this.status = status;
  }
}

/** What to do about a proxy's 407. */
export const proxyWantsUser = "the proxy wants a user: http://USER:PASSWORD@HOST:PORT in the variable that names it";

/** What a proxy's status means to whoever is kept from a server by it: `unauthenticated`, `forbidden`, or `undefined` where another try may come to more. */
export function refusalOfProxy(
  status: number | undefined,
  message: string,
  cause?: unknown,
): StillageError | undefined {
  if (status === 407) return new StillageError("unauthenticated", message, { hint: proxyWantsUser, cause });
  if (status === undefined || status >= 500 || status === 408 || status === 429) return undefined;
  return new StillageError("forbidden", message, { cause });
}

export interface TunnelOptions {
  /** Aborting ends the opening of it; what stands is its user's to end. */
  readonly signal?: AbortSignal;
  readonly connectMs?: number;
}

/** A proxy that is near answers at once; what is beyond it may be far. */
const usualConnectMs = 10_000;

/** A connection to a host by way of a proxy (RFC 9110 section 9.3.6); what is sent there, the host gets. Errors: ProxyError. */
export function openTunnel(
  proxy: HttpProxy,
  host: string,
  port: number,
  { signal, connectMs = usualConnectMs }: TunnelOptions = {},
): Promise<Socket> {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const request = nodeHttp().request({
    ...{ host: proxy.host, port: proxy.port, method: "CONNECT", path: target, agent: false },
    lookup: lookupHost,
    headers: { host: target, ...proxyHeaders(proxy) },
    ...(signal && { signal }),
  });
  const late = (): void => {
    request.destroy(Object.assign(new Error(`nothing came for ${connectMs} ms`), { code: "ETIMEDOUT" }));
  };
  const timer = setTimeout(late, connectMs);
  request.on("connect", ({ statusCode: status = 0, statusMessage = "" }, socket, head) => {
    if (status >= 200 && status < 300) {
      if (head.length > 0) socket.unshift(head);
      // Whoever speaks TLS in it hears of what breaks it there.
      socket.on("error", () => {});
      resolve(socket as Socket);
      return;
    }
    socket.destroy();
    const said = `${status} ${statusMessage}`.trim().slice(0, 100);
    reject(new ProxyError(`the proxy ${proxy.shown} does not connect us to ${target}: ${said}`, { status }));
  });
  request.on("error", (cause: NodeJS.ErrnoException) => {
    const { code, message } = cause;
    const way = signal?.aborted ? "connecting by the proxy" : "the proxy";
    const what = `${way} ${proxy.shown} ${signal?.aborted ? "was given up" : `cannot be reached: ${message || code}`}`;
    reject(new ProxyError(what, code === undefined ? { cause } : { code, cause }));
  });
  request.end();
  return promise.finally(() => clearTimeout(timer));
}

/** What a request that is made by way of a proxy is made with: `http` is asked of the proxy itself, by its whole URL. */
export function askedOf(
  proxy: HttpProxy,
  url: URL,
): RequestOptions & { readonly headers: Readonly<Record<string, string>> } {
  const { host, pathname, search } = url;
  return {
    ...{ protocol: "http:", hostname: proxy.host, port: proxy.port, path: `http://${host}${pathname}${search}` },
    headers: { host, ...proxyHeaders(proxy) },
  };
}

/** Connections by TLS through a proxy's tunnels. */
export function tunnelAgent(
  proxy: HttpProxy,
  { signal, connectMs, ...options }: TunnelOptions & { readonly keepAlive: boolean; readonly maxSockets?: number },
): Agent {
  const agent = new (nodeHttps().Agent)(options);
  // Node tells the end of a request that waits for its connection when that has come to something.
  const tunnel = { ...(signal && { signal }), ...(connectMs !== undefined && { connectMs }) };
  agent.createConnection = (
    { host, port, ...rest }: RequestOptions,
    done?: (error: Error | null, to: Socket) => void,
  ) => {
    const opened = openTunnel(proxy, host ?? "", Number(port), tunnel);
    opened.then(
      (socket) => done?.(null, connectTls({ ...rest, ...(host != null && { host }), socket } as object)),
      (error: Error) => done?.(error, undefined as unknown as Socket),
    );
    return undefined;
  };
  return agent;
}

function proxyHeaders({ credentials }: HttpProxy): Record<string, string> {
  if (credentials === undefined) return {};
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}
