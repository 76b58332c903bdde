import { rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import type { Log } from "../base/log.ts";
import { secretPathOf } from "../base/receive-socket.ts";
import type { RpcServer } from "../rpc/server.ts";
import type { ConnectionPlaces } from "./connection-places.ts";
import type { Http1 } from "./http/http1.ts";
import { boundAddress, listenOn } from "./listen-address.ts";
import { type Door, peerOf } from "./peer-of.ts";
import { writeSecret } from "./receive-socket.ts";
import { loadTls, type TlsFiles } from "./tls.ts";

/** One address, and what it is for. */
export interface ListenerConfig {
  /** `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH` or `systemd:NAME`. Port 0 is any free one. */
  readonly address: string;
  /** The socket that was handed over for it, where one was: `address` is only what it is called then. */
  readonly descriptor?: number;
  readonly push: boolean;
  readonly tls: TlsFiles | undefined;
  /** The socket for programs of the store's user alone (`receive-socket.ts`), and what they have to show. Unless it is `wanted`, a server that cannot have it does without. */
  readonly receive?: { readonly wanted: boolean; readonly secret: string };
}

/** What a listener hands its connections to. */
export interface ListenerTargets {
  readonly rpc: Pick<RpcServer, "accept">;
  readonly http1: Pick<Http1, "accept">;
  readonly places?: ConnectionPlaces;
  /** Connections at a time; more are cut off. */
  readonly maxConnections: number;
  /** Other sockets listen at the same address: the kernel gives each its part of the connections. */
  readonly shared?: boolean;
  readonly log: Log;
}

/** How long a client may take for the TLS handshake, and from there to the first bytes of a protocol. */
const firstBytesMs = 20_000;

const ownerOnly = 0o600;

/** How every HTTP/2 connection begins (RFC 9113, section 3.4), and no HTTP/1.1 request does. */
const http2Mark = Buffer.from("PRI ");

/** An open address: TLS or not, gRPC and HTTP/2 and HTTP/1.1 on the same port. */
export class Listener {
  /** Where it really listens. */
  readonly address: string;
  readonly config: ListenerConfig;
  private readonly server: Server;

  private constructor(config: ListenerConfig, server: Server, address: string) {
    this.config = config;
    this.server = server;
    this.address = address;
  }

  static async open(config: ListenerConfig, targets: ListenerTargets): Promise<Listener> {
    let server: Server;
    const secret = config.receive?.secret;
    const accept = (socket: Socket): void =>
      receiveFirstBytes(socket, { unix: boundAddress(server) === undefined, push: config.push, secret }, targets);
    if (config.tls === undefined) server = createServer({ noDelay: true }, accept);
    else {
      const options = await loadTls(config.tls);
      server = createTlsServer(
        {
          ...options,
          ALPNProtocols: ["h2", "http/1.1"],
          requestCert: config.tls.clientCertificates !== undefined,
          rejectUnauthorized: config.tls.clientAuth === "required",
          handshakeTimeout: firstBytesMs,
          noDelay: true,
        },
        (socket) => {
          if (!isStranger(socket)) return accept(socket);
          targets.log.debug({ peer: socket.remoteAddress }, "a client's certificate is nobody's here");
          socket.destroy();
        },
      );
      server.on("tlsClientError", (error, socket) => {
        targets.log.debug({ peer: socket.remoteAddress, reason: error.message }, "TLS handshake failed");
      });
    }
    server.maxConnections = targets.maxConnections;
    const address = await listenOn(server, config, targets.shared);
    try {
      if (secret !== undefined) {
        await chmod(address.slice("unix:".length), ownerOnly);
        await writeSecret(address.slice("unix:".length), secret);
      }
    } catch (error) {
      server.close();
      throw error;
    }
    server.on("drop", (dropped) => targets.log.debug({ peer: dropped?.remoteAddress }, "too many connections"));
    server.on("error", (error) => targets.log.error({ err: error, address }, "the listener failed"));
    return new Listener(config, server, address);
  }

  /** Takes certificates and keys as they are on disk now; connections that are open keep theirs. */
  async reload(): Promise<void> {
    if (this.config.tls !== undefined) (this.server as TlsServer).setSecureContext(await loadTls(this.config.tls));
  }

  /** Accepts no more connections. Those that are open are their protocol's to end. */
  close(): void {
    if (this.config.receive !== undefined) rmSync(secretPathOf(this.address.slice("unix:".length)), { force: true });
    this.server.close();
  }
}

/** Who need not show a certificate, but shows one that nobody vouches for, means something that is not so. */
function isStranger(socket: TLSSocket): boolean {
  return !socket.authorized && socket.getPeerCertificate().fingerprint256 !== undefined;
}

const noBytes: Buffer = Buffer.alloc(0);

/** Tells HTTP/2 from HTTP/1.1 by the first bytes, which works with and without TLS and whatever ALPN said. */
function receiveFirstBytes(socket: Socket, door: Door, targets: ListenerTargets): void {
  const { rpc, http1, places, log } = targets;
  const peer = peerOf(socket, door);
  if (peer === undefined || places?.opened(peer, () => socket.destroy()) === false) {
    socket.on("error", () => {});
    socket.destroy();
    return;
  }
  socket.once("close", () => places?.closed(peer));
  let head = noBytes;
  const giveUp = (): void => {
    socket.destroy();
  };
  const onError = (error: Error): void => log.debug({ peer: peer.address, reason: error.message }, "connection failed");
  const onData = (chunk: Buffer): void => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const compared = Math.min(head.length, http2Mark.length);
    const http2 = head.subarray(0, compared).equals(http2Mark.subarray(0, compared));
    if (http2 && compared < http2Mark.length) return;
    socket.pause();
    socket.setTimeout(0);
    socket.off("data", onData).off("timeout", giveUp).off("error", onError);
    const first = head;
    head = noBytes; // what listens for the end of the connection would keep it that long
    if (http2) rpc.accept(socket, peer, first);
    else http1.accept(socket, peer, first);
  };
  socket.setTimeout(firstBytesMs);
  socket.on("data", onData).on("timeout", giveUp).on("error", onError);
}
