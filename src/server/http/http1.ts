import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Authenticate, type Identify, unidentified } from "../../base/caller.ts";
import { StillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Peer } from "../../base/peer.ts";
import { type RequestIds, requestIdHeader } from "../../base/request-ids.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../http/exchange.ts";

/** Who is at the other end of a connection. */
interface Visitor {
  readonly peer: Peer;
  readonly identify: Identify;
}

/** How long nothing may pass on a connection in the midst of a request: far longer than any network falters, or a client thinks. */
const silentMs = 300_000;

/** How long a request's headers may take: who has not said what he wants is nobody yet, and has a connection's place. */
const headersMs = 60_000;

/** Why the signal of a request is aborted, made once: with its stack it costs more than most requests do otherwise. */
const ended = new StillageError("cancelled", "the request is over");

/** The HTTP/1.1 side of `handler`. It does not listen: listeners give it their connections. */
export class Http1 {
  private readonly server: Server;
  private readonly authenticate: Authenticate;
  private readonly ids: RequestIds;
  private readonly visitors = new Map<Socket, Visitor>();
  private closed: (() => void) | undefined;

  constructor(handler: HttpHandler, authenticate: Authenticate, ids: RequestIds, log: Log, headersTimeout = headersMs) {
    this.authenticate = authenticate;
    this.ids = ids;
    // An upload may take as long as it takes, as by HTTP/2. Node would have the headers take as long then, unless it is told otherwise.
    const times = { requestTimeout: 0, headersTimeout, connectionsCheckingInterval: Math.min(30_000, headersTimeout) };
    this.server = createServer(times, (incoming, outgoing) => {
      // A connection that is kept alive would outlive the server.
      if (this.closed !== undefined) outgoing.setHeader("connection", "close");
      const gone = new AbortController();
      outgoing.on("close", () => gone.abort(ended));
      const request = toRequest(incoming, this.visitors.get(incoming.socket) as Visitor, this.ids, gone.signal);
      answer(request, outgoing, handler).catch((error: unknown) => {
        log.error({ request: request.id, err: error, path: incoming.url }, "an HTTP request failed");
        if (!outgoing.headersSent) outgoing.writeHead(500, { [requestIdHeader]: request.id });
        outgoing.destroy();
      });
    });
    this.server.timeout = silentMs;
    // A server that listens says this itself. Only then does Node watch over connections: time limits, and what `close` ends.
    this.server.emit("listening");
  }

  /** Serves a connection of which `head` has been read. */
  accept(socket: Socket, peer: Peer, head: Uint8Array): void {
    this.visitors.set(socket, { peer, identify: this.authenticate(peer) });
    socket.once("close", () => {
      this.visitors.delete(socket);
      if (this.visitors.size === 0) this.closed?.();
    });
    socket.unshift(head);
    this.server.emit("connection", socket);
    socket.resume();
  }

  /** Ends the connections that wait, lets answers under way end for `graceMs`, and cuts the rest. */
  async close(graceMs: number): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.closed = resolve;
    });
    this.server.closeIdleConnections();
    if (this.visitors.size > 0) {
      const cut = setTimeout(() => this.server.closeAllConnections(), graceMs);
      await ended;
      clearTimeout(cut);
    }
  }
}

async function answer(request: HttpRequest, outgoing: ServerResponse, handler: HttpHandler): Promise<void> {
  const response = await handler(request);
  const headers: Record<string, string> = { ...response.headers };
  if (response.body === undefined || response.body instanceof Uint8Array) {
    headers["content-length"] ??= String(response.body?.length ?? 0);
  }
  outgoing.writeHead(response.status, headers);
  await sendBody(request.method, response, outgoing, request.signal);
}

async function sendBody(
  method: string,
  { body }: HttpResponse,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if (method === "HEAD" || body === undefined) outgoing.end();
  else if (body instanceof Uint8Array) outgoing.end(body);
  else await pipeline(Readable.from(body), outgoing).catch((error: unknown) => signal.aborted || Promise.reject(error));
}

function toRequest(incoming: IncomingMessage, visitor: Visitor, ids: RequestIds, signal: AbortSignal): HttpRequest {
  const { pathname, searchParams } = splitTarget(incoming.url ?? "/");
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  // Of several, which nobody may send, Node gives the first; joined they are no credentials at all.
  headers.authorization = incoming.headersDistinct.authorization?.join(", ");
  let body: AsyncIterator<Uint8Array> | undefined;
  let id: string | undefined;
  const request = {
    get id() {
      id ??= ids.of(headers[requestIdHeader]);
      return id;
    },
    method: incoming.method ?? "GET",
    path: pathname,
    query: searchParams,
    headers,
    ...visitor,
    caller: unidentified,
    instance: "",
    route: "",
    signal,
    received: 0,
    receive: async () => {
      body ??= incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      const next = await body.next().catch(brokenOff);
      if (next.done === true) return undefined;
      const piece = next.value;
      request.received += piece.length;
      return piece;
    },
  };
  return request;
}

/** What a client that goes away leaves: it is nobody's mistake. */
function brokenOff(cause: unknown): never {
  throw new StillageError("cancelled", "the request ended before all of it had come", { cause });
}

/** Path and query of a request target (RFC 9112, section 3.2), left as they came. */
function splitTarget(target: string): { pathname: string; searchParams: URLSearchParams } {
  const mark = target.indexOf("?");
  if (mark < 0) return { pathname: target, searchParams: new URLSearchParams() };
  return { pathname: target.slice(0, mark), searchParams: new URLSearchParams(target.slice(mark + 1)) };
}
