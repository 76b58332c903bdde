import { isIP, isIPv6 } from "node:net";
import { resolve } from "node:path";
import { scalar } from "./check.ts";

const unixPrefix = "unix:";

/** The longest path that the address of a Unix socket holds (unix(7)), its final zero byte left out. */
const maxSocketPath = 107;

/** The longest name of a host (RFC 1035, section 2.3.4). */
const maxHost = 253;

/** `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`. */
export const address = scalar("an address: HOST:PORT, [IPV6]:PORT or unix:PATH", (text) =>
  text.startsWith(unixPrefix) ? socketPath(text) : hostAndPort(text),
);

/** Makes the path of a Unix socket absolute, seen from a folder. */
export function resolveAddress(text: string, folder: string): string {
  return text.startsWith(unixPrefix) ? unixPrefix + resolve(folder, text.slice(unixPrefix.length)) : text;
}

/** What two listeners cannot share; `undefined` where the port is any free one. */
export function addressIdentity(text: string): string | undefined {
  return text.endsWith(":0") && !text.startsWith(unixPrefix) ? undefined : text;
}

function socketPath(text: string): string | undefined {
  const length = Buffer.byteLength(text) - unixPrefix.length;
  return length > 0 && length <= maxSocketPath && !text.includes("\0") ? text : undefined;
}

function hostAndPort(text: string): string | undefined {
  const [, host, bracketed, port] = /^(?:([^[\]:\s/]+)|\[([^\]]+)\]):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? text : undefined;
  return isHost(host ?? "") ? text : undefined;
}

/** An IPv4 address, or a name; what looks like an address but is none is no name. */
function isHost(host: string): boolean {
  return isIP(host) === 4 || (host.length <= maxHost && /^[\w.-]+$/.test(host) && !/^[\d.]+$/.test(host));
}
