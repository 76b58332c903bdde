import { StillageError } from "../base/errors.ts";

/** A detached signature of OpenPGP: one packet, and the key that it says it is by. */
export interface OpenPgpSignature {
  /** The packet, as OSTree keeps it. */
  readonly bytes: Uint8Array;
  /** A fingerprint of 40 or 64 upper-case hex digits or, of old programs, the 16 of a key ID. Nothing shows that it is true but a verification. */
  readonly issuer: string | undefined;
}

/** A signature has some hundred bytes; one by a large RSA key with notations has some thousand. */
const maxSignatureBytes = 64 << 10;

const signatureTag = 2;
const issuerSubpacket = 16;
const fingerprintSubpacket = 33;

/** Reads detached signatures, armoured or not, one after the other as `gpg --detach-sign` writes for several keys. Errors: `invalid`. */
export function readOpenPgpSignatures(file: Uint8Array): readonly OpenPgpSignature[] {
  if (file.length > maxSignatureBytes) throw notSignature("it is too long");
  const bytes = isArmoured(file) ? unarmoured(file, "SIGNATURE") : file;
  const found: OpenPgpSignature[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { tag, body, end } = packetAt(bytes, at);
    if (tag !== signatureTag) throw notSignature(`it has a packet of type ${tag}`);
    found.push({ bytes: bytes.subarray(at, end), issuer: issuerOf(bytes.subarray(body, end)) });
    at = end;
  }
  if (found.length === 0) throw notSignature("it is empty");
  return found;
}

const publicKeyTag = 6;

/** The keys of a keyring, each with its packets: user IDs, subkeys and what signs those follow the key that they are of (RFC 9580, 10.1). Errors: `invalid`. */
export function keysOf(keyring: Uint8Array): readonly Uint8Array[] {
  const starts: number[] = [];
  try {
    for (let at = 0; at < keyring.length; ) {
      const { tag, end } = packetAt(keyring, at);
      if (tag === publicKeyTag) starts.push(at);
      at = end;
    }
  } catch (error) {
    throw new StillageError("invalid", "it is no whole OpenPGP public key", { cause: error });
  }
  return starts.map((start, each) => keyring.subarray(start, starts[each + 1] ?? keyring.length));
}

export function isArmoured(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 200)).toString("latin1").trimStart().startsWith("-----BEGIN PGP ");
}

/** RFC 9580, 6.2: headers up to an empty line, base64, and a checksum that nobody has to check. What stands around it is passed over. */
export function unarmoured(file: Uint8Array, what: "SIGNATURE" | "PUBLIC KEY BLOCK"): Uint8Array {
  const lines = Buffer.from(file).toString("latin1").split(/\r?\n/);
  const blocks: Buffer[] = [];
  let block: string[] | undefined;
  let head = false;
  for (const line of lines) {
    if (line === `-----BEGIN PGP ${what}-----`) {
      block = [];
      head = true;
    } else if (line === `-----END PGP ${what}-----`) {
      if (block !== undefined) blocks.push(Buffer.from(block.join(""), "base64"));
      block = undefined;
    } else if (head) head = line.trim() !== "";
    else if (!/^=[A-Za-z0-9+/]{4}$/.test(line)) block?.push(line);
  }
  return Buffer.concat(blocks);
}

/** RFC 9580, 4.2: where the packet at `at` has its body, and where it ends. */
function packetAt(bytes: Uint8Array, at: number): { tag: number; body: number; end: number } {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) throw notSignature("it is no OpenPGP packet");
  const old = (first & 0x40) === 0;
  const tag = old ? (first >> 2) & 0x0f : first & 0x3f;
  const { length, next } = old ? oldLength(bytes, at + 1, first & 3) : newLength(bytes, at + 1);
  const end = next + length;
  if (end > bytes.length) throw notSignature("it ends too early");
  return { tag, body: next, end };
}

function oldLength(bytes: Uint8Array, at: number, kind: number): { length: number; next: number } {
  if (kind === 3) return { length: bytes.length - at, next: at };
  const size = 1 << kind;
  return { length: bigEndian(bytes, at, size), next: at + size };
}

/** RFC 9580, 4.2.1; a body in parts is for data, not for signatures. */
function newLength(bytes: Uint8Array, at: number): { length: number; next: number } {
  const first = bytes[at] ?? 0;
  if (first < 192) return { length: first, next: at + 1 };
  if (first < 224) return { length: ((first - 192) << 8) + (bytes[at + 1] ?? 0) + 192, next: at + 2 };
  if (first === 255) return { length: bigEndian(bytes, at + 1, 4), next: at + 5 };
  throw notSignature("it is in parts");
}

function bigEndian(bytes: Uint8Array, at: number, size: number): number {
  if (at + size > bytes.length) throw notSignature("it ends too early");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUIntBE(at, size);
}

/** RFC 9580, 5.2.3: the issuer in the subpackets, the signed ones first. */
function issuerOf(body: Uint8Array): string | undefined {
  const version = body[0];
  if (version !== 4 && version !== 6) return undefined;
  const width = version === 4 ? 2 : 4;
  let keyId: string | undefined;
  let at = 4;
  for (let part = 0; part < 2; part++) {
    if (at + width > body.length) return keyId;
    const end = at + width + bigEndian(body, at, width);
    if (end > body.length) return keyId;
    at += width;
    while (at < end) {
      const { length, next } = subpacketLength(body, at);
      const content = body.subarray(next + 1, Math.min(next + length, end));
      const type = (body[next] ?? 0) & 0x7f;
      if (type === fingerprintSubpacket) return hex(content.subarray(1));
      if (type === issuerSubpacket) keyId ??= hex(content);
      at = next + Math.max(length, 1);
    }
    at = end;
  }
  return keyId;
}

/** RFC 9580, 5.2.3.1: as of new packets, with other bounds. */
function subpacketLength(bytes: Uint8Array, at: number): { length: number; next: number } {
  const first = bytes[at] ?? 0;
  if (first < 192) return { length: first, next: at + 1 };
  if (first < 255) return { length: ((first - 192) << 8) + (bytes[at + 1] ?? 0) + 192, next: at + 2 };
  return { length: bigEndian(bytes, at + 1, 4), next: at + 5 };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

function notSignature(why: string): StillageError {
  return new StillageError("invalid", `this is no OpenPGP signature: ${why}`);
}
