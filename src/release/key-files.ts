import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import { publicKeyText } from "../ostree/ed25519-files.ts";
import { publicKeyPem } from "./key-id.ts";
import { checkKeyName, type PublicKey, readKeyDirectory } from "./public-keys.ts";
import { replaceFile } from "./replace-file.ts";

/** The files of a public key in `keys/`: name -> content. The first is the one that `ostree` takes. */
export function filesOfKey(key: PublicKey): ReadonlyMap<string, Uint8Array> {
  if (key.kind === "gpg") return new Map([[`${key.name}.gpg`, key.keyring]]);
  return new Map([
    [`${key.name}.ed25519`, Buffer.from(`${publicKeyText(key.key)}\n`)],
    [`${key.name}.pem`, Buffer.from(publicKeyPem(key.key))],
  ]);
}

/**
 * Puts public keys among those that a repository publishes and trusts; those that are there under any name stay as they are. A crash leaves
 * some of the files, and the next call writes the rest. Gives the names of those that were not there. Errors: `exists` where a name is that of another key.
 */
export async function addKeys(directory: string, keys: readonly PublicKey[]): Promise<readonly string[]> {
  const there = [...(await readKeyDirectory(directory))];
  const added: string[] = [];
  for (const given of keys) {
    const same = there.find(({ kind, id }) => kind === given.kind && id === given.id);
    if (same !== undefined) {
      await renew(directory, same, given);
      continue;
    }
    const taken = there.some(({ kind, name }) => kind === given.kind && name === given.name);
    // A new key of GPG of the same person has the same address.
    const key = taken && given.kind === "gpg" ? { ...given, name: given.id.toLowerCase() } : given;
    checkKeyName(key.name);
    if (taken && key === given) {
      throw new StillageError("exists", `another key is called ${key.name} in ${directory}`, {
        hint: "a new key needs a new name: what the old one signed has to stay verifiable",
      });
    }
    await makeFolder(directory);
    for (const [name, bytes] of [...filesOfKey(key)].reverse()) await replaceFile(join(directory, name), bytes);
    there.push(key);
    added.push(key.name);
  }
  return added;
}

/** A key of GPG changes, when it is to be good for longer, and stays the same key. */
async function renew(directory: string, there: PublicKey, given: PublicKey): Promise<void> {
  if (there.kind !== "gpg" || given.kind !== "gpg" || Buffer.compare(there.keyring, given.keyring) === 0) return;
  const path = join(directory, `${there.name}.gpg`);
  // A file with several keys is somebody's own.
  if ((await readKeyDirectory(directory)).filter(({ name }) => name === there.name).length > 1) return;
  await replaceFile(path, given.keyring);
}

/** Takes a key out of those that are trusted. Errors: `not-found`. */
export async function removeKey(directory: string, name: string): Promise<void> {
  const there = await readKeyDirectory(directory);
  if (!there.some((each) => each.name === name)) {
    throw new StillageError("not-found", `there is no key ${JSON.stringify(name)} in ${directory}`, {
      hint: there.length === 0 ? "there is none" : `there is ${there.map((each) => each.name).join(", ")}`,
    });
  }
  for (const suffix of ["ed25519", "gpg", "asc", "pem"])
    await rm(join(directory, `${name}.${suffix}`), { force: true });
}

/** Whether the second file of a key of Ed25519 says the same as the first; `undefined` where there is none. */
export async function pemAgrees(directory: string, key: PublicKey): Promise<boolean | undefined> {
  if (key.kind !== "ed25519") return undefined;
  const found = await readFile(join(directory, `${key.name}.pem`), "latin1").catch(() => undefined);
  return found === undefined ? undefined : found === publicKeyPem(key.key);
}
