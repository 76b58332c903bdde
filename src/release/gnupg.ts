import { spawn } from "node:child_process";
import { StillageError } from "../base/errors.ts";

/** What a run of `gpg` has printed. */
interface GpgRun {
  readonly status: number;
  readonly output: Buffer;
  /** What it says to people. */
  readonly errors: string;
}

/** A keyring of ten thousand keys; nothing else that is asked for is as long. */
const maxOutputBytes = 64 << 20;

/** Whoever signs may have to type a PIN or touch a token. */
const patienceMs = 5 * 60_000;

/** Runs `gpg` with words and an input. Errors: `failed-precondition` where there is no `gpg`, `deadline`, `exhausted`. */
export async function runGpg(words: readonly string[], input: Uint8Array = new Uint8Array()): Promise<GpgRun> {
  const child = spawn("gpg", ["--batch", "--no-tty", ...words], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    timeout: patienceMs,
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  let length = 0;
  const gather = (into: Buffer[]) => (piece: Buffer) => {
    length += piece.length;
    if (length > maxOutputBytes) child.kill();
    else into.push(piece);
  };
  child.stdout.on("data", gather(output));
  child.stderr.on("data", gather(errors));
  child.stdin.on("error", () => {}); // it ended before it had read all: its status says why
  child.stdin.end(input);
  const status = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause: NodeJS.ErrnoException) => reject(notRun(cause)));
    child.once("close", (code, signal) => {
      if (length > maxOutputBytes) reject(new StillageError("exhausted", "gpg printed more than it ever should"));
      else if (signal !== null)
        reject(new StillageError("deadline", `gpg took longer than ${patienceMs / 60_000} minutes`));
      else resolve(code ?? 1);
    });
  });
  return { status, output: Buffer.concat(output), errors: Buffer.concat(errors).toString() };
}

function notRun(cause: NodeJS.ErrnoException): StillageError {
  const hint = cause.code === "ENOENT" ? { hint: "install GnuPG: the Debian package is gpg" } : {};
  return new StillageError("failed-precondition", `the program gpg cannot be run: ${cause.code}`, { ...hint, cause });
}

/** Its last words, which say most. */
export function gpgSays({ errors }: GpgRun): string {
  const lines = errors.split("\n").filter((line) => line !== "");
  return lines.slice(-3).join("; ").slice(0, 500) || "it does not say why";
}

/** A secret key of the user, or in a GnuPG directory of its own. */
export interface GpgKeyName {
  /** What `gpg --local-user` takes: a fingerprint, a key ID, an address. */
  readonly key: string;
  readonly home: string | undefined;
}

function homeWords(home: string | undefined): readonly string[] {
  return home === undefined ? [] : ["--homedir", home];
}

/** A detached signature, binary. Errors: `failed-precondition` with what gpg says. */
export async function gpgSign({ key, home }: GpgKeyName, bytes: Uint8Array): Promise<Uint8Array> {
  const run = await runGpg([...homeWords(home), "--local-user", key, "--detach-sign", "--output", "-"], bytes);
  if (run.status === 0 && run.output.length > 0) return run.output;
  throw new StillageError("failed-precondition", `gpg does not sign with the key ${key}: ${gpgSays(run)}`);
}

/** The public key of a name, as a keyring. Errors: `failed-precondition` where there is none. */
export async function gpgExport({ key, home }: GpgKeyName): Promise<Uint8Array> {
  const run = await runGpg([...homeWords(home), "--export-options", "export-minimal", "--export", key]);
  if (run.status === 0 && run.output.length > 0) return run.output;
  throw new StillageError("failed-precondition", `gpg has no public key ${key}: ${gpgSays(run)}`);
}

/** A public key with its subkeys. */
export interface GpgPublicKey {
  /** Of the primary key: 40 or 64 upper-case hex digits. */
  readonly fingerprint: string;
  /** Of the primary key and all subkeys. */
  readonly all: readonly string[];
  /** The first user ID, as it stands. */
  readonly user: string;
}

/** The keys in a keyring, binary or armoured. Errors: `invalid` where gpg finds none. */
export async function gpgKeys(keyring: Uint8Array): Promise<readonly GpgPublicKey[]> {
  const words = ["--no-options", "--no-keyring", "--trust-model", "always", "--with-colons", "--show-keys"];
  const run = await runGpg(words, keyring);
  const keys: { fingerprint: string; all: string[]; user: string }[] = [];
  for (const line of run.output.toString().split("\n")) {
    const fields = line.split(":");
    const value = fields[9] ?? "";
    const last = keys.at(-1);
    if (fields[0] === "pub") keys.push({ fingerprint: "", all: [], user: "" });
    else if (last !== undefined && fields[0] === "fpr") {
      if (last.fingerprint === "") last.fingerprint = value;
      last.all.push(value);
    } else if (last !== undefined && fields[0] === "uid" && last.user === "") last.user = unescapeColons(value);
  }
  if (keys.length > 0) return keys;
  throw new StillageError("invalid", `there is no OpenPGP public key in it: ${gpgSays(run)}`);
}

/** In this form, what would divide fields or lines stands as `\xNN`. */
function unescapeColons(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
