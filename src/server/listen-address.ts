import { unlink } from "node:fs/promises";
import { connect, isIPv6, type ListenOptions, type Server } from "node:net";
import { StillageError } from "../base/errors.ts";

/** Connections that wait to be accepted: as many as a build farm opens at once. */
const backlog = 1024;

/**
 * Binds `server` to `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH` and returns the address that it has now. A port that is `shared` others of
 * this user may listen at as well (SO_REUSEPORT), if they say so, too.
 */
export async function listenOn(server: Server, address: string, shared = false): Promise<string> {
  const parsed = parseAddress(address);
  const options = shared && parsed.path === undefined ? { ...parsed, reusePort: true } : parsed;
  try {
    await listen(server, options);
  } catch (error) {
    if (options.path === undefined || !(await isAbandoned(options.path))) throw refusal(address, error);
    // A socket file that outlived its server: nobody answers there.
    await unlink(options.path);
    await listen(server, options);
  }
  const bound = server.address();
  if (bound === null || typeof bound === "string") return address;
  return `${isIPv6(bound.address) ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

function parseAddress(address: string): ListenOptions {
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length), backlog };
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(address.slice(colon + 1)), backlog };
}

function listen(server: Server, options: ListenOptions): Promise<void> {
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

/** Whether only programs on this machine reach an address. */
export function isLocalAddress(address: string): boolean {
  return /^(127\.|\[::1\]|unix:)/.test(address);
}
