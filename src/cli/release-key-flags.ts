import type { Command } from "commander";
import { StillageError } from "../base/errors.ts";
import { type PublicKey, readKeyDirectory, readKeyFile } from "../release/public-keys.ts";
import { repeated } from "./repeated.ts";

/** What names public keys to verify with on the command line. */
export interface KeyFlags {
  readonly keys?: string;
  readonly key?: readonly string[];
  readonly keyring?: readonly string[];
}

/** Gives a command the flags that name public keys. */
export function addKeyFlags(command: Command): Command {
  return command
    .option("--keys <DIR>", "Directory with the public keys to verify with")
    .option("--key <FILE>", "Public key of Ed25519 to verify with: of ostree or OpenSSL; can be repeated", repeated)
    .option("--keyring <FILE>", "Public keys of GPG to verify with; can be repeated", repeated);
}

/** `undefined` where none are given. Errors: `invalid`, `not-found`. */
export async function givenKeys(flags: KeyFlags): Promise<readonly PublicKey[] | undefined> {
  const files = [...(flags.key ?? []), ...(flags.keyring ?? [])];
  if (flags.keys === undefined && files.length === 0) return undefined;
  const keys = flags.keys === undefined ? [] : [...(await readKeyDirectory(flags.keys))];
  for (const file of files) keys.push(...(await readKeyFile(file)));
  if (keys.length > 0) return keys;
  throw new StillageError("invalid", `there is no public key in ${flags.keys}`, {
    hint: "a key's file ends with .ed25519, .pem, .gpg or .asc",
  });
}
