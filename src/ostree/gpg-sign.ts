import { StillageError } from "../base/errors.ts";
import { areSignatures } from "./gpg-packets.ts";
import { type GpgOptions, type GpgRun, lastWords, runGpg } from "./gpg-program.ts";

export interface GpgSignOptions extends GpgOptions {
  /** A file whose first line opens the key, where its agent does not hold it open. */
  readonly passphraseFile?: string;
}

/**
 * A binary detached signature of `bytes` by the secret key that `key` names: a fingerprint, key id or user id. Nobody is asked for a
 * passphrase. Errors: `failed-precondition` where gpg or the key is not there, or the key is locked or of no use any more.
 */
export async function signWithGpg(key: string, bytes: Uint8Array, options: GpgSignOptions = {}): Promise<Uint8Array> {
  checkKeyName(key);
  const { passphraseFile } = options;
  const pin = passphraseFile === undefined ? ["error"] : ["loopback", "--passphrase-file", passphraseFile];
  const args = ["--pinentry-mode", ...pin, "--local-user", key, "--no-armor", "--output", "-", "--detach-sign"];
  const run = await runGpg(args, bytes, options);
  const made = run.status.some(([word]) => word === "SIG_CREATED");
  if (run.exit === 0 && made && areSignatures(run.output)) return Uint8Array.from(run.output);
  throw whyNot(key, run);
}

function whyNot(key: string, run: GpgRun): StillageError {
  const shown = JSON.stringify(key.slice(0, 100));
  const has = (word: string) => run.status.some(([first]) => first === word);
  if (has("INV_SGNR")) {
    const useless = has("KEYEXPIRED") || has("KEYREVOKED");
    return new StillageError(
      "failed-precondition",
      `gpg has no secret key ${shown} that can sign (${lastWords(run)})`,
      {
        hint: useless
          ? "it is expired or revoked"
          : "gpg --list-secret-keys, with the same --homedir, shows which it has",
      },
    );
  }
  const [, , code = ""] = run.status.find(([word, what]) => word === "FAILURE" && what === "sign") ?? [];
  if (lockedCodes.has(Number(code) & 0xffff)) {
    return new StillageError("failed-precondition", `the GPG key ${shown} is locked by a passphrase`, {
      hint: "open it in the gpg-agent of the user whom this runs as (`gpg --sign` with it once), or take a key without a passphrase for a machine",
    });
  }
  return new StillageError("failed-precondition", `gpg does not sign with ${shown}: ${lastWords(run)}`);
}

/** Of gpg-error.h: bad passphrase, no pinentry, cancelled, timeout, no passphrase given. */
const lockedCodes = new Set([11, 85, 99, 62, 177]);

/** A key in a keyring. */
export interface GpgKey {
  /** 40 or 64 hex digits in upper case. */
  readonly fingerprint: string;
  /** The first user id. */
  readonly user: string;
}

/** The secret key that `key` names. Errors: `failed-precondition` where there is none, or more than one. */
export async function findSecretKey(key: string, options: GpgOptions = {}): Promise<GpgKey> {
  checkKeyName(key);
  const run = await runGpg(["--with-colons", "--list-secret-keys", "--", key], new Uint8Array(), options);
  const keys = listedKeys(run.output.toString());
  const [found] = keys;
  if (run.exit === 0 && found !== undefined && keys.length === 1) return found;
  const many = keys.length > 1;
  throw new StillageError(
    "failed-precondition",
    `gpg has ${many ? "more than one" : "no"} secret key ${JSON.stringify(key.slice(0, 100))}`,
    {
      hint: many ? "name it by its fingerprint" : "gpg --list-secret-keys, with the same --homedir, shows which it has",
    },
  );
}

/** The public key with a fingerprint, in binary: what belongs into a keyring. Errors: `failed-precondition`. */
export async function exportPublicKey(fingerprint: string, options: GpgOptions = {}): Promise<Uint8Array> {
  checkKeyName(fingerprint);
  const args = ["--no-armor", "--export", "--", fingerprint];
  const run = await runGpg(args, new Uint8Array(), options);
  if (run.exit === 0 && run.output.length > 0) return Uint8Array.from(run.output);
  throw new StillageError("failed-precondition", `gpg has no public key ${fingerprint}: ${lastWords(run)}`);
}

/** The keys of a listing by `--with-colons`. */
export function listedKeys(text: string): GpgKey[] {
  const keys: { fingerprint: string; user: string }[] = [];
  for (const line of text.split("\n")) {
    const [kind, ...fields] = line.split(":");
    const last = keys.at(-1);
    if (kind === "sec" || kind === "pub") keys.push({ fingerprint: "", user: "" });
    else if (kind === "fpr" && last?.fingerprint === "") last.fingerprint = fields[8] ?? "";
    else if (kind === "uid" && last?.user === "") last.user = fields[8] ?? "";
  }
  return keys;
}

/** What begins like an option is none, and what has no end is no name. */
function checkKeyName(key: string): void {
  if (/^[^-\p{Cc}][^\p{Cc}]{0,199}$/u.test(key)) return;
  throw new StillageError("invalid", `${JSON.stringify(key.slice(0, 200))} does not name a GPG key`);
}
