import { isIPv4, isIPv6, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ClientCertificate, Peer } from "../base/peer.ts";

/** By which door a connection came in. */
export interface Door {
  readonly unix: boolean;
  readonly push: boolean;
  /** Whoever shows it may say for whom he asks. */
  readonly secret?: string | undefined;
}

/** Who is at the other end of a connection; `undefined` where it has gone already. */
export function peerOf(socket: Socket, { unix, push, secret }: Door): Peer | undefined {
  const tls = socket instanceof TLSSocket;
  const certificate = tls && socket.authorized ? certificateOf(socket) : undefined;
  if (unix) return { address: "unix", host: "unix", network: "unix", local: true, push, tls, secret, certificate };
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined) return undefined;
  const host = remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
  const local = host === "::1" || (isIPv4(host) && host.startsWith("127."));
  return { address: `${remoteAddress}:${remotePort}`, host, network: networkOf(host), local, push, tls, certificate };
}

/** An address; of IPv6 the first 64 bits, which one client has to himself (RFC 6177, section 2). */
export function networkOf(host: string): string {
  if (!isIPv6(host)) return host;
  const [head = "", tail] = host.replace(/%.*$/, "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array<string>(zeros).fill("0"), ...after];
  return `${all.slice(0, 4).join(":")}::/64`;
}

/** The certificate that a client has shown, which was verified; `undefined` where it has shown none. */
function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  if (fingerprint256 === undefined) return undefined;
  const attributes = Object.entries(subject ?? {}) as [string, string | string[]][];
  return {
    subject: new Map(attributes.map(([name, values]) => [name, Array.isArray(values) ? values : [values]])),
    fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}
