import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import type { Ed25519PublicKey } from "../ostree/ed25519.ts";
import { parsePublicKeys } from "../ostree/ed25519-files.ts";
import { gpgKeys } from "./gpg-keys.ts";
import { ed25519KeyId, publicKeyOfPem } from "./key-id.ts";
import { isArmoured, keysOf, unarmoured } from "./openpgp.ts";

/** A public key that signatures are verified against, by the name of its file. */
export type PublicKey = Ed25519Public | GpgPublic;

export interface Ed25519Public {
  readonly kind: "ed25519";
  readonly name: string;
  /** As `ed25519KeyId` has it. */
  readonly id: string;
  readonly key: Ed25519PublicKey;
}

export interface GpgPublic {
  readonly kind: "gpg";
  readonly name: string;
  /** The primary key's fingerprint. */
  readonly id: string;
  /** Of the primary key and all subkeys. */
  readonly fingerprints: readonly string[];
  /** Whose it is, as it says itself. */
  readonly user: string;
  /** The key alone, not armoured. */
  readonly keyring: Uint8Array;
}

/** A keyring of many keys with photographs. */
const maxFileBytes = 4 << 20;

/** Files in a directory of keys. */
const maxFiles = 500;

/** What the files of keys end with. A `.pem` beside an `.ed25519` is the same key once more. */
const suffixes = [".ed25519", ".gpg", ".asc", ".pem"];

const keyName = /^[A-Za-z0-9_][-._A-Za-z0-9@+]{0,99}$/;

export function isKeyName(name: string): boolean {
  return keyName.test(name) && !suffixes.some((each) => name.endsWith(each));
}

/** Errors: `invalid`. */
export function checkKeyName(name: string): string {
  if (isKeyName(name)) return name;
  throw new StillageError("invalid", `${JSON.stringify(name.slice(0, 120))} cannot be the name of a key`, {
    hint: "up to 100 letters, digits, and . - _ @ + inside: robot, jane@example.org",
  });
}

/** The keys of a directory, by name; none where there is no such directory. Errors: `invalid` for a file that is no key. */
export async function readKeyDirectory(directory: string): Promise<readonly PublicKey[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw fromFileSystem(error, `the keys in ${directory} cannot be listed`);
  });
  const files = names.filter((name) => suffixes.some((each) => name.endsWith(each))).sort();
  if (files.length > maxFiles)
    throw new StillageError("invalid", `${directory} has more than ${maxFiles} files of keys`);
  const keys: PublicKey[] = [];
  for (const name of files) {
    if (name.endsWith(".pem") && files.includes(name.replace(/pem$/, "ed25519"))) continue;
    keys.push(...(await readKeyFile(join(directory, name))));
  }
  return keys;
}

/** The keys in a file: lines for `ostree`, PEM of OpenSSL, or what GnuPG exports. Errors: `invalid`, `not-found`. */
export async function readKeyFile(path: string): Promise<readonly PublicKey[]> {
  const bytes = await readKeyBytes(path);
  const name = basename(path).replace(/\.(?:ed25519|gpg|asc|pem|pub)$/, "");
  try {
    return await parseKeys(name, bytes);
  } catch (error) {
    if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
    throw new StillageError("invalid", `${path}: ${error.message}`, { cause: error });
  }
}

/** Errors: `invalid`. */
export async function parseKeys(name: string, bytes: Uint8Array): Promise<readonly PublicKey[]> {
  const text = Buffer.from(bytes).toString("latin1");
  const pem = publicKeyOfPem(text);
  if (pem !== undefined) return [ed25519Public(name, pem)];
  if (isArmoured(bytes)) return gpgPublic(name, unarmoured(bytes, "PUBLIC KEY BLOCK"));
  // All packets of OpenPGP begin with a byte that no base64 has.
  if ((bytes[0] ?? 0) >= 0x80) return gpgPublic(name, bytes);
  return parsePublicKeys(text).map((key) => ed25519Public(name, key));
}

export function ed25519Public(name: string, key: Ed25519PublicKey): Ed25519Public {
  return { kind: "ed25519", name, id: ed25519KeyId(key), key };
}

/** Errors: `invalid`. */
export async function gpgPublic(name: string, keyring: Uint8Array): Promise<readonly GpgPublic[]> {
  const keys: GpgPublic[] = [];
  // Each by itself: a file with the name of one key must not bring another under that name.
  for (const own of keysOf(keyring)) {
    for (const { fingerprint, all, user } of await gpgKeys(own)) {
      keys.push({ kind: "gpg", name, id: fingerprint, fingerprints: all, user, keyring: own });
    }
  }
  if (keys.length > 0) return keys;
  throw new StillageError("invalid", "there is no OpenPGP public key in it");
}

/** What a key is called where nobody says it: of GPG the address in its user ID, which people know, or else the fingerprint; of Ed25519 its file. */
export function ownName(key: PublicKey): string {
  return key.kind === "gpg" ? gpgKeyName(key.id, key.user) : key.name;
}

export function gpgKeyName(fingerprint: string, user: string): string {
  const address = /<([^<>]+)>$/.exec(user)?.[1] ?? user;
  return isKeyName(address) ? address : fingerprint.toLowerCase();
}

async function readKeyBytes(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) throw new StillageError("invalid", `${path} is too long for a file of keys`);
    return await readFile(path);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (absent) throw new StillageError("not-found", `there is no file of keys ${path}`);
    throw fromFileSystem(error, `the file of keys ${path} cannot be read`);
  }
}
