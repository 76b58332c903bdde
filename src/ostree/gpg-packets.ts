const signatureTag = 2;

/**
 * Whether bytes are signatures and nothing else: OpenPGP packets of that kind, whole, one after another (RFC 9580, section 4.2). A program that
 * is given something else might verify what is in that, instead of what it was to verify.
 */
export function areSignatures(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    const packet = packetAt(bytes, at);
    if (packet === undefined || packet.tag !== signatureTag) return false;
    if (!(packet.end <= bytes.length)) return false; // also where a cut length is not a number
    at = packet.end;
  }
  return bytes.length > 0;
}

function packetAt(bytes: Uint8Array, at: number): { tag: number; end: number } | undefined {
  const first = bytes[at] as number;
  if (first < 0x80) return undefined; // armored, or no packet at all
  const byte = (offset: number): number => bytes[at + offset] ?? Number.NaN;
  if (first < 0xc0) {
    const tag = (first >> 2) & 15;
    const kind = first & 3;
    if (kind === 0) return { tag, end: at + 2 + byte(1) };
    if (kind === 1) return { tag, end: at + 3 + byte(1) * 256 + byte(2) };
    return undefined; // as long as that, or of no known length, is no signature
  }
  const tag = first & 63;
  const length = byte(1);
  if (length < 192) return { tag, end: at + 2 + length };
  if (length < 224) return { tag, end: at + 3 + (length - 192) * 256 + byte(2) + 192 };
  if (length < 255) return undefined; // comes in parts
  return { tag, end: at + 6 + byte(2) * 2 ** 24 + byte(3) * 65_536 + byte(4) * 256 + byte(5) };
}
