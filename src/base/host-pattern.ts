import { BlockList, isIP } from "node:net";

/** Which hosts a rule is about. */
export interface HostPattern {
  /** As it was written. */
  readonly text: string;
  /** `any`, one name, the names below a domain, or the addresses of a network. */
  readonly kind: "any" | "name" | "domain" | "network";
  /** In lower case; empty for `any` and `network`. */
  readonly name: string;
  readonly network: BlockList | undefined;
  /** `undefined`: every port. */
  readonly port: number | undefined;
}

/** A host as a URL names it: lower case, an IPv6 address without brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const label = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?";
const hostName = new RegExp(`^${label}(?:\\.${label})*$`);

/**
 * A pattern as people write it: `NAME`, `*.DOMAIN`, `ADDRESS` or `*`, each with or without `:PORT` (an IPv6 address in brackets then), or
 * `ADDRESS/BITS`. `undefined` for what is none of these.
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  const slash = text.indexOf("/");
  if (slash >= 0) return networkPattern(text, text.slice(0, slash), text.slice(slash + 1), undefined);
  const parts = /^(?:\[([^\]]*)\]|([^:]*)|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, bracketed, plain, bare, digits] = parts;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const host = (bracketed ?? plain ?? bare ?? "").toLowerCase();
  const family = isIP(host);
  if (family !== 0) return networkPattern(text, host, family === 4 ? "32" : "128", port);
  if (bracketed !== undefined || bare !== undefined || host.length > 253) return undefined;
  if (host === "*") return { text, kind: "any", name: "", network: undefined, port };
  const below = host.startsWith("*.");
  const name = below ? host.slice(2) : host;
  if (!hostName.test(name) || /^[0-9.]+$/.test(name)) return undefined;
  return { text, kind: below ? "domain" : "name", name, network: undefined, port };
}

function networkPattern(text: string, address: string, bits: string, port: number | undefined) {
  const family = isIP(address);
  if (family === 0 || address.includes("%") || !/^\d{1,3}$/.test(bits)) return undefined;
  if (Number(bits) > (family === 4 ? 32 : 128)) return undefined;
  const network = new BlockList();
  network.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
  return { text, kind: "network", name: "", network, port } as const;
}

/** Whether a pattern means a host by its name, or by one of its addresses. */
export function matchesHost(pattern: HostPattern, { host, port }: HostAndPort, addresses: readonly string[]): boolean {
  if (pattern.port !== undefined && pattern.port !== port) return false;
  if (pattern.kind === "any") return true;
  if (pattern.kind === "name") return host === pattern.name;
  if (pattern.kind === "domain") return host.endsWith(`.${pattern.name}`);
  return addresses.some((each) => pattern.network?.check(each, isIP(each) === 6 ? "ipv6" : "ipv4"));
}
