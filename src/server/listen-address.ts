import { unlink } from "node:fs/promises";
import { type AddressInfo, connect, isIPv6, type ListenOptions, type Server } from "node:net";
import { StillageError } from "../base/errors.ts";

/** Connections that wait to be accepted: as many as a build farm opens at once. */
const backlog = 1024;

/** Where to listen: a socket that is open already, or else an address to bind one to. */
export interface Place {
  readonly address: string;
  readonly descriptor?: number;
}

/**
 * Binds `server` to `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`, or takes the open socket, and returns the address that it has now; an open Unix
 * socket keeps the one that is given. A port that is `shared` others of this user may listen at as well (SO_REUSEPORT), if they say so, too.
 */
export async function listenOn(server: Server, { address, descriptor }: Place, shared = false): Promise<string> {
  const options: Options = descriptor === undefined ? parseAddress(address, shared) : { fd: descriptor, backlog };
  try {
    await listen(server, options);
  } catch (error) {
    if (options.path === undefined || !(await isAbandoned(options.path))) throw refusal(address, error);
    // A socket file that outlived its server: nobody answers there.
    await unlink(options.path);
    await listen(server, options);
  }
  const bound = boundAddress(server);
  if (bound === undefined) return address;
  return `${isIPv6(bound.address) ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** Where a server that listens by TCP does; `undefined` for a Unix socket, of which Node knows the path only where it has bound it. */
export function boundAddress(server: Server): AddressInfo | undefined {
  const bound = server.address();
  return bound === null || typeof bound === "string" ? undefined : bound;
}

type Options = ListenOptions & { fd?: number };

function parseAddress(address: string, shared: boolean): Options {
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length), backlog };
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(address.slice(colon + 1)), backlog, reusePort: shared };
}

function listen(server: Server, options: Options): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

function refusal(address: string, error: unknown): StillageError {
  const code = (error as NodeJS.ErrnoException).code;
  const why =
    code === "EADDRINUSE" ? "another program listens there" : code === "EACCES" ? "that is not allowed" : code;
  return new StillageError("failed-precondition", `cannot listen on ${address}: ${why}`, { cause: error });
}

/** Whether only programs on this machine reach an address, as `listenOn` gives it. */
export function isLocalAddress(address: string): boolean {
  return /^(127\.|\[::1\]|unix:|systemd:)/.test(address);
}
