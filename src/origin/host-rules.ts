import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { StillageError } from "../base/errors.ts";
import { type HostPattern, matchesHost } from "../base/host-pattern.ts";
import { embeddedAddress, isPublicAddress } from "./address-guard.ts";
import type { OriginUrl } from "./origin-url.ts";

/** All addresses of a name, in the order to try them. Errors: those of node:dns. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (host) => lookup(host, { all: true });

/** The addresses of this machine, each with the network that it is in. */
export type OwnAddresses = () => readonly Pick<NetworkInterfaceInfo, "address" | "family" | "cidr">[];

export const systemAddresses: OwnAddresses = () => Object.values(networkInterfaces()).flatMap((each) => each ?? []);

export interface HostRules {
  /** Hosts that may be asked although they are in a private network, or denied otherwise. */
  readonly allow: readonly HostPattern[];
  readonly deny: readonly HostPattern[];
  readonly resolve: Resolve;
  readonly ownAddresses?: OwnAddresses;
}

/** Ports below this one belong to other protocols, which must not be talked to by way of this server; the web's own are the exceptions. */
const firstFreePort = 1024;
const webPorts: readonly number[] = [80, 443];

/** Less than this of an address in common with this machine's does not make one network: a tunnel may claim all of the Internet. */
const leastBits = { IPv4: 16, IPv6: 48 };

/** Addresses of one name that are tried. */
const maxAddresses = 16;

/**
 * The addresses at which a host may be asked: resolved here, once, so that what is connected to is what was checked. One that is not public
 * spoils all of them, unless the operator allows the host. Errors: `forbidden`; `unavailable` and `not-found` of the resolver.
 */
export async function allowedAddresses(url: OriginUrl, rules: HostRules): Promise<readonly LookupAddress[]> {
  const { host, port } = url;
  const found = await addressesOf(host, rules.resolve);
  const addresses = found.map(({ address }) => address);
  // A network allows a host whose addresses are all in it, and denies one of which any is.
  const allows = (pattern: HostPattern): boolean => addresses.every((each) => matchesHost(pattern, url, [each]));
  if (rules.allow.some(allows)) return found;
  const reached = addresses.flatMap((each) => [each, embeddedAddress(each) ?? each]);
  if (rules.deny.some((pattern) => matchesHost(pattern, url, reached)))
    throw refusal(url, "the operator of this cache denies that");
  if (port < firstFreePort && !webPorts.includes(port)) throw refusal(url, `port ${port} is not the web's`);
  if (!addresses.every(isPublicAddress)) throw refusal(url, "it is not on the public Internet");
  const own = networksOf((rules.ownAddresses ?? systemAddresses)());
  if (reached.some((each) => own.check(each, isIP(each) === 6 ? "ipv6" : "ipv4"))) {
    throw refusal(url, "it is this machine, or in its network");
  }
  return found;
}

function networksOf(own: ReturnType<OwnAddresses>): BlockList {
  const list = new BlockList();
  for (const { address, family, cidr } of own) {
    const type = family === "IPv6" ? "ipv6" : "ipv4";
    const bits = Number(cidr?.split("/")[1] ?? 0);
    if (bits >= leastBits[family]) list.addSubnet(address, bits, type);
    else list.addAddress(address, type);
  }
  return list;
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  try {
    const found = (await resolve(host)).slice(0, maxAddresses);
    if (found.length > 0) return found;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTFOUND" && code !== "ENODATA") {
      throw new StillageError("unavailable", `the address of ${host} cannot be found out now (${code})`, {
        cause: error,
      });
    }
  }
  throw new StillageError("not-found", `there is no host ${host}`);
}

function refusal({ host, port }: OriginUrl, why: string): StillageError {
  return new StillageError("forbidden", `${host}:${port} may not be asked: ${why}`, {
    hint: "the operator of the cache can name it in origin-allow",
  });
}
