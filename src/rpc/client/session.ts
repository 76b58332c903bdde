import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectSocket } from "node:net";

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

/** Large enough that a long, fast line is not kept waiting: HTTP/2's own 64 KiB allows 64 KiB for each round trip. */
const streamWindowBytes = 4 << 20;
const connectionWindowBytes = 16 << 20;

const schemes: Readonly<Record<string, string>> = {
  "http:": "http:",
  "grpc:": "http:",
  "https:": "https:",
  "grpcs:": "https:",
};

/** Opens a connection. `http` and `grpc` are plain, `https` and `grpcs` are TLS, `unix:PATH` is a socket. Throws TypeError for another URL. */
export function openSession(url: string, options: SessionOptions): ClientHttp2Session {
  const session = url.startsWith("unix:") ? overSocket(url.slice("unix:".length)) : overNetwork(url, options);
  session.on("connect", () => {
    if (!session.destroyed) session.setLocalWindowSize(connectionWindowBytes);
  });
  // Every call in progress hears of it by itself; without a listener it would end the process.
  session.on("error", () => {});
  return session;
}

const settings = { enablePush: false, initialWindowSize: streamWindowBytes };

function overSocket(path: string): ClientHttp2Session {
  return connect("http://localhost", { settings, createConnection: () => connectSocket({ path }) });
}

function overNetwork(url: string, options: SessionOptions): ClientHttp2Session {
  const { protocol, host } = new URL(url);
  const scheme = schemes[protocol];
  if (scheme === undefined || host === "") throw new TypeError(`${url} is no URL of a gRPC server`);
  const { serverName: servername, ca, cert, key } = options;
  return connect(`${scheme}//${host}`, {
    settings,
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca: Buffer.from(ca) }),
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
  });
}
