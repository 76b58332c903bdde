import { isIP, isIPv6 } from "node:net";
import { resolve } from "node:path";
import { scalar } from "./check.ts";

const unixPrefix = "unix:";
const systemdPrefix = "systemd:";

/** The longest path that the address of a Unix socket holds (unix(7)), its final zero byte left out. */
const maxSocketPath = 107;

/** The longest name of a host (RFC 1035, section 2.3.4). */
const maxHost = 253;

/** `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH`, or `systemd:NAME` for sockets that are handed over. */
export const address = scalar("an address: HOST:PORT, [IPV6]:PORT, unix:PATH or systemd:NAME", (text) => {
  if (text.startsWith(unixPrefix)) return socketPath(text);
  return text.startsWith(systemdPrefix) ? socketName(text) : hostAndPort(text);
});

/** Makes the path of a Unix socket absolute, seen from a folder. */
export function resolveAddress(text: string, folder: string): string {
  return text.startsWith(unixPrefix) ? unixPrefix + resolve(folder, text.slice(unixPrefix.length)) : text;
}

/** What two listeners cannot share; `undefined` where the port is any free one. */
export function addressIdentity(text: string): string | undefined {
  const bound = !text.startsWith(unixPrefix) && !text.startsWith(systemdPrefix);
  return bound && text.endsWith(":0") ? undefined : text;
}

/** The name as `FileDescriptorName=` of systemd.socket(5) takes it, less what would have to be quoted. */
function socketName(text: string): string | undefined {
  return /^[\w.@-]{1,255}$/.test(text.slice(systemdPrefix.length)) ? text : undefined;
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
