import { StillageError } from "../base/errors.ts";
import { type Ed25519Key, type Ed25519PublicKey, ed25519KeyOfSeed } from "./ed25519.ts";

// Key files as `ostree sign` and its clients read them: a key in base64 on a line of its own. A secret key is the seed and the public key,
// 64 bytes; a public key has 32. Lines that are empty or begin with # are left out, as comments.

/** Bytes of a key file. */
const maxFile = 64 * 1024;

/** The secret keys of a file. Errors: `invalid`; the message says which line, and nothing of what is in it. */
export function parseSecretKeys(text: string): Ed25519Key[] {
  return keyLines(text, 64, "secret").map(({ bytes, line }) => {
    const key = ed25519KeyOfSeed(bytes.subarray(0, 32));
    if (Buffer.compare(key.bytes, bytes.subarray(32)) === 0) return key;
    throw new StillageError("invalid", `line ${line} is no Ed25519 key: its public key is another one's`);
  });
}

/** The public keys of a file. Errors: `invalid`. */
export function parsePublicKeys(text: string): Ed25519PublicKey[] {
  return keyLines(text, 32, "public").map(({ bytes }) => ({ bytes }));
}

export function secretKeyLine({ seed, bytes }: Ed25519Key): string {
  return `${Buffer.concat([seed, bytes]).toString("base64")}\n`;
}

/** A public key as `ostree remote add --sign-verify=ed25519=inline:…` and files have it, without the end of the line. */
export function publicKeyText({ bytes }: Ed25519PublicKey): string {
  return Buffer.from(bytes).toString("base64");
}

function keyLines(text: string, length: number, what: string): { bytes: Uint8Array; line: number }[] {
  if (text.length > maxFile) throw new StillageError("invalid", `a file of ${what} keys has ${maxFile} bytes at most`);
  const keys = text.split("\n").flatMap((each, index) => {
    const base64 = each.trim();
    if (base64 === "" || base64.startsWith("#")) return [];
    const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
    if (bytes.length === length && Buffer.from(bytes).toString("base64") === base64)
      return [{ bytes, line: index + 1 }];
    throw new StillageError("invalid", `line ${index + 1} is no ${what} Ed25519 key: ${length} bytes in base64`);
  });
  if (keys.length > 0) return keys;
  throw new StillageError("invalid", `there is no ${what} Ed25519 key in the file`);
}
