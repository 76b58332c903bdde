import { BlockList, isIP } from "node:net";

/**
 * IPv4 networks that are not the public Internet's (IANA IPv4 Special-Purpose Address Registry), multicast, and one public-looking
 * address that clouds give to a service of each machine's host (Azure).
 */
const closedV4: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/**
 * Of IPv6 only 2000::/3 is the public Internet's. Of that these are not: protocol assignments (Teredo, ORCHID, benchmarks among them),
 * documentation, 6to4, the former 6bone.
 */
const closedV6: readonly (readonly [network: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3ffe::", 16],
  ["3fff::", 20],
];

const privateV4 = listOf(closedV4, "ipv4");
const publicV6 = listOf([["2000::", 3]], "ipv6");
const exceptedV6 = listOf(closedV6, "ipv6");
/** Where an IPv4 address stands in the last 32 bits and is what is reached: IPv4-mapped ones, and those of NAT64 (RFC 6052). */
const embedding = listOf(
  [
    ["::ffff:0:0", 96],
    ["64:ff9b::", 96],
  ],
  "ipv6",
);

function listOf(networks: readonly (readonly [string, number])[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, family);
  return list;
}

/** Whether an address, as a resolver gives it, is one of the public Internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes("%")) return false; // a zone is of one machine's networks
  if (family === 4) return !privateV4.check(address, "ipv4");
  const inside = embeddedAddress(address);
  if (inside !== undefined) return !privateV4.check(inside, "ipv4");
  return publicV6.check(address, "ipv6") && !exceptedV6.check(address, "ipv6");
}

/** The IPv4 address that is reached by an IPv6 one; `undefined` where there is none in it. */
export function embeddedAddress(address: string): string | undefined {
  return isIP(address) === 6 && embedding.check(address, "ipv6") ? lastFour(address) : undefined;
}

/** The IPv4 address in the last 32 bits of an IPv6 address. */
function lastFour(address: string): string {
  const dotted = /\d+\.\d+\.\d+\.\d+$/.exec(address)?.[0];
  if (dotted !== undefined) return dotted;
  const [upper = "0", lower = "0"] = expand(address).slice(-2);
  const bits = [Number.parseInt(upper, 16), Number.parseInt(lower, 16)] as const;
  return bits.map((word) => `${word >> 8}.${word & 0xff}`).join(".");
}

/** The eight words of an address in which a `::` stands for what is left out. */
function expand(address: string): string[] {
  const [before = "", after] = address.split("::");
  const head = before === "" ? [] : before.split(":");
  if (after === undefined) return head;
  const tail = after === "" ? [] : after.split(":");
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail];
}
