import { open } from "node:fs/promises";
import { basename } from "node:path";
import { StillageError } from "../base/errors.ts";
import { type Ed25519Key, signEd25519 } from "../ostree/ed25519.ts";
import { parseSecretKeys } from "../ostree/ed25519-files.ts";
import { exportPublicKey, findSecretKey, signWithGpg } from "../ostree/gpg-sign.ts";
import { readOpenPgpSignatures } from "./openpgp.ts";
import { checkKeyName, ed25519Public, gpgKeyName, gpgPublic, type PublicKey } from "./public-keys.ts";
import type { SignerSettings } from "./repository-settings.ts";

/** Somebody, or a machine, who signs releases. */
export interface Signer {
  readonly kind: "gpg" | "ed25519";
  /** What the public key is called in `keys/`. */
  readonly name: string;
  /** As public keys have it: the fingerprint, or the hash of the key. */
  readonly id: string;
  readonly publicKey: PublicKey;
  /** The signature as OSTree keeps it: one packet of OpenPGP, or 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A key and its comments. */
const maxSecretFileBytes = 64 << 10;

/** The signers of a repository. Errors: `failed-precondition` where a key is not there, or not for its owner alone. */
export async function openSigners(settings: readonly SignerSettings[]): Promise<readonly Signer[]> {
  const signers: Signer[] = [];
  for (const each of settings) signers.push(each.kind === "gpg" ? await openGpg(each) : await openEd25519(each.key));
  for (const [at, { name, kind, id }] of signers.entries()) {
    const other = signers.findIndex(
      (each) => each.id === id || (each.name === name && each.kind === kind && kind === "ed25519"),
    );
    if (other === at) continue;
    throw new StillageError("failed-precondition", `two of the signers are called ${name}, or have the same key`, {
      hint: "give the files of their keys names of their own",
    });
  }
  return signers;
}

async function openGpg({ key: wanted, home }: Extract<SignerSettings, { kind: "gpg" }>): Promise<Signer> {
  const options = home === undefined ? {} : { homedir: home };
  const { fingerprint, user } = await findSecretKey(wanted, options);
  const name = gpgKeyName(fingerprint, user);
  const [publicKey] = await gpgPublic(name, await exportPublicKey(fingerprint, options));
  if (publicKey === undefined) throw new StillageError("internal", `gpg exports no key ${fingerprint}`);
  const sign = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const [signature, ...others] = readOpenPgpSignatures(await signWithGpg(fingerprint, bytes, options));
    if (signature !== undefined && others.length === 0) return signature.bytes;
    throw new StillageError("failed-precondition", `gpg signs with other keys beside ${fingerprint}`, {
      hint: "take `local-user` out of the gpg.conf of its directory",
    });
  };
  return { kind: "gpg", name, id: fingerprint, publicKey, sign };
}

async function openEd25519(path: string): Promise<Signer> {
  const key = await readSecretKey(path);
  const name = checkKeyName(basename(path).replace(/\.(?:secret|ed25519|key)$/, ""));
  const publicKey = ed25519Public(name, { bytes: key.bytes });
  return { kind: "ed25519", name, id: publicKey.id, publicKey, sign: async (bytes) => signEd25519(key, bytes) };
}

/** Reads the one key of a file that nobody but its owner may read. Errors: `failed-precondition`, which repeat nothing of what is in it. */
export async function readSecretKey(path: string): Promise<Ed25519Key> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new StillageError("failed-precondition", `the secret key ${path} cannot be read: ${cause.code}`, { cause });
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new StillageError("failed-precondition", `the secret key ${path} is not a file`);
    if ((stats.mode & 0o077) !== 0) {
      throw new StillageError("failed-precondition", `others may read the secret key ${path}`, {
        hint: `chmod 600 ${path}`,
      });
    }
    if (stats.size > maxSecretFileBytes)
      throw new StillageError("failed-precondition", `${path} is too long for a key`);
    const [key, ...others] = parseSecretKeys(await file.readFile("latin1"));
    if (key !== undefined && others.length === 0) return key;
    throw new StillageError("failed-precondition", `${path} has ${others.length + 1} secret keys, and is to have one`);
  } catch (error) {
    if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
    throw new StillageError("failed-precondition", `the secret key ${path}: ${error.message}`);
  } finally {
    await file.close();
  }
}
