import { createHash } from "node:crypto";
import type { Ed25519PublicKey } from "../ostree/ed25519.ts";

/** RFC 8410: what stands before the 32 bytes of a public key in SubjectPublicKeyInfo. */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

function spki({ bytes }: Ed25519PublicKey): Buffer {
  return Buffer.concat([spkiHead, bytes]);
}

/**
 * What a key of Ed25519 is called in envelopes and lists: SHA-256 of its SubjectPublicKeyInfo, as
 * `openssl pkey -pubin -in KEY.pem -outform DER | sha256sum` prints it.
 */
export function ed25519KeyId(key: Ed25519PublicKey): string {
  return createHash("sha256").update(spki(key)).digest("hex");
}

/** A public key as `openssl` takes it. */
export function publicKeyPem(key: Ed25519PublicKey): string {
  return `-----BEGIN PUBLIC KEY-----\n${spki(key).toString("base64")}\n-----END PUBLIC KEY-----\n`;
}

/** The 32 bytes of a key that `openssl` has written; `undefined` for everything else. */
export function publicKeyOfPem(text: string): Ed25519PublicKey | undefined {
  const [, base64 = ""] =
    /^-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=]+)\r?\n-----END PUBLIC KEY-----\r?\n?$/.exec(text) ?? [];
  const der = Buffer.from(base64, "base64");
  if (der.length !== spkiHead.length + 32 || !der.subarray(0, spkiHead.length).equals(spkiHead)) return undefined;
  return { bytes: Uint8Array.from(der.subarray(spkiHead.length)) };
}
