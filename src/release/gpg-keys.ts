import { StillageError } from "../base/errors.ts";
import { lastWords, runGpg } from "../ostree/gpg-program.ts";

/** A public key with its subkeys. */
export interface GpgPublicKey {
  /** Of the primary key: 40 or 64 upper-case hex digits. */
  readonly fingerprint: string;
  /** Of the primary key and all subkeys. */
  readonly all: readonly string[];
  /** The first user ID, as gpg prints it. */
  readonly user: string;
}

/** The keys in a keyring, not armoured. Errors: `invalid` where gpg finds none. */
export async function gpgKeys(keyring: Uint8Array): Promise<readonly GpgPublicKey[]> {
  const words = ["--no-options", "--no-keyring", "--trust-model", "always", "--with-colons", "--show-keys"];
  const run = await runGpg(words, keyring);
  const keys: { fingerprint: string; all: string[]; user: string }[] = [];
  for (const line of run.output.toString().split("\n")) {
    const fields = line.split(":");
    const last = keys.at(-1);
    if (fields[0] === "pub") keys.push({ fingerprint: "", all: [], user: "" });
    else if (last !== undefined && fields[0] === "fpr") {
      const fingerprint = fields[9] ?? "";
      if (last.fingerprint === "") last.fingerprint = fingerprint;
      last.all.push(fingerprint);
    } else if (last !== undefined && fields[0] === "uid" && last.user === "") last.user = fields[9] ?? "";
  }
  if (keys.length > 0) return keys;
  throw new StillageError("invalid", `there is no OpenPGP public key in it: ${lastWords(run)}`);
}
