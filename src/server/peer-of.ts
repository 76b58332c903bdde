import { isIPv4, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ClientCertificate, Peer } from "../base/peer.ts";

/** Who is at the other end of a connection of a listener that takes pushes or not. */
export function peerOf(socket: Socket, push: boolean): Peer {
  const { remoteAddress, remotePort } = socket;
  return {
    address: remoteAddress === undefined ? "unix" : `${remoteAddress}:${remotePort}`,
    host: remoteAddress ?? "unix",
    local: remoteAddress === undefined || isLoopback(remoteAddress),
    push,
    tls: socket instanceof TLSSocket,
    certificate: socket instanceof TLSSocket && socket.authorized ? certificateOf(socket) : undefined,
  };
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, "");
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
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
