import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";

/** How a server is reached and trusted. Keys and certificates are PEM. */
export interface SessionOptions {
  /** Certificates to trust instead of the system's. */
  readonly ca?: string | Uint8Array;
  /** The client's own certificate, and its key. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name to find in the server's certificate, where it is not the URL's host. */
  readonly serverName?: string;
}

/** An HTTP/2 session and the socket below it: destroying the session says goodbye, destroying the socket does not. */
export interface Session {
  readonly http2: ClientHttp2Session;
  readonly socket: Socket;
  /** Until when the server's certificate is good, in milliseconds since 1970; `undefined` without TLS, and until that is agreed on. */
  certificateEnd(): number | undefined;
}

/** Large enough that a long, fast line is not kept waiting: HTTP/2's own 64 KiB allows 64 KiB for each round trip. */
const streamWindowBytes = 4 << 20;
const connectionWindowBytes = 16 << 20;

/** In MiB. Node refuses answers while more than this waits to be sent, 10 unless told otherwise; who sends bounds that himself. */
const maxSessionMemory = 4096;

/** Opens a connection. `http` and `grpc` are plain, `https` and `grpcs` are TLS, `unix:PATH` is a socket. Throws TypeError for another URL. */
export function openSession(url: string, options: SessionOptions): Session {
  const place = parseUrl(url);
  const socket = openSocket(place, options);
  const http2 = connect(place.authority, {
    maxSessionMemory,
    settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    createConnection: () => socket,
  });
  http2.on("connect", () => {
    if (!http2.destroyed) http2.setLocalWindowSize(connectionWindowBytes);
  });
  // Every call in progress hears of it by itself; without a listener it would end the process.
  http2.on("error", () => {});
  let certificateEnd: number | undefined;
  if (socket instanceof TLSSocket) {
    // Read now: a socket that was closed knows no certificate any more.
    socket.once("secureConnect", () => {
      certificateEnd = Date.parse(socket.getPeerCertificate().valid_to);
    });
  }
  return { http2, socket, certificateEnd: () => certificateEnd };
}

/** What a URL of a gRPC server says. */
interface Place {
  /** For the requests: scheme, host and port. */
  readonly authority: string;
  readonly tls: boolean;
  readonly where: { readonly path: string } | { readonly host: string; readonly port: number };
}

const plainSchemes = new Set(["http:", "grpc:"]);
const tlsSchemes = new Set(["https:", "grpcs:"]);

function parseUrl(url: string): Place {
  if (url.startsWith("unix:")) {
    return { authority: "http://localhost", tls: false, where: { path: url.slice("unix:".length) } };
  }
  const { protocol, hostname, port } = new URL(url);
  const tls = tlsSchemes.has(protocol);
  if (hostname === "" || !(tls || plainSchemes.has(protocol))) throw new TypeError(`${url} is no URL of a gRPC server`);
  // As `new URL` has it, an IPv6 address stands in brackets; a socket takes it without.
  const where = { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) || (tls ? 443 : 80) };
  return { authority: `${tls ? "https" : "http"}://${hostname}:${where.port}`, tls, where };
}

function openSocket({ tls, where }: Place, { ca, cert, key, serverName }: SessionOptions): Socket {
  if (!tls) return connectPlain(where);
  return connectTls({
    ...where,
    ALPNProtocols: ["h2"],
    ...(serverName !== undefined && { servername: serverName }),
    ...(ca !== undefined && { ca: Buffer.from(ca) }),
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
  });
}
