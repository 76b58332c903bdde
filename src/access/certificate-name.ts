import type { ClientCertificate } from "../base/peer.ts";

/** The subject as one text, `CN=name,O=company` (RFC 4514: what would be taken for a divider has a backslash before it); or the fingerprint. */
export function certificateName({ subject, fingerprint }: ClientCertificate): string {
  const pairs = [...subject].flatMap(([name, values]) => values.map((value) => `${name}=${escaped(value)}`));
  return pairs.length === 0 ? fingerprint : pairs.join(",");
}

function escaped(value: string): string {
  return value.replaceAll(/[,+"\\<>;=]/g, "\\$&");
}
