import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { areSignatures } from "./gpg-packets.ts";
import { type GpgOptions, lastWords, runGpg } from "./gpg-program.ts";
import { type GpgKey, listedKeys } from "./gpg-sign.ts";

/** What is with a signature. Only `good` counts; the others say why one does not. */
export type GpgVerdictState = "good" | "expired" | "expired-key" | "revoked-key" | "bad" | "unknown-key" | "unreadable";

export interface GpgVerdict {
  readonly state: GpgVerdictState;
  /** The fingerprint of the primary key, where gpg tells; without the key, what the signature itself says of it. */
  readonly fingerprint: string | undefined;
  /** The first user id of the key. */
  readonly user: string | undefined;
  /** When it was made, in seconds since 1970. */
  readonly created: number | undefined;
}

export interface GpgVerifyOptions extends Pick<GpgOptions, "program" | "signal"> {
  /** The time of the verification, in seconds since 1970, if that is not now. */
  readonly at?: number;
}

/** Bytes of a signature, which are some hundred, and of all keys together. */
const maxSignature = 64 * 1024;
const maxKeys = 4 * 1024 * 1024;

/** Keys by which signatures are verified, in a private directory that only lives as long. */
export class GpgKeyring {
  readonly keys: readonly GpgKey[];
  private readonly home: string;
  private readonly options: GpgVerifyOptions;
  private count = 0;

  private constructor(home: string, keys: readonly GpgKey[], options: GpgVerifyOptions) {
    this.home = home;
    this.keys = keys;
    this.options = options;
  }

  /**
   * `keyring` is a keyring file, as `ostree remote gpg-import` takes them: public keys one after another, in binary or armored.
   * Errors: `invalid` for one without keys; `failed-precondition` without gpg.
   */
  static async open(keyring: Uint8Array, options: GpgVerifyOptions = {}): Promise<GpgKeyring> {
    if (keyring.length > maxKeys) throw new StillageError("invalid", `a GPG keyring has ${maxKeys} bytes at most`);
    const home = await mkdtemp(join(tmpdir(), "stillage-gpg-"));
    try {
      const imported = await runGpg([...common(options), "--import"], keyring, { ...options, homedir: home });
      const listed = await runGpg([...common(options), "--with-colons", "--list-keys"], new Uint8Array(), {
        ...options,
        homedir: home,
      });
      const keys = listedKeys(listed.output.toString());
      if (keys.length > 0) return new GpgKeyring(home, keys, options);
      throw new StillageError("invalid", `the keyring has no public GPG key: ${lastWords(imported)}`);
    } catch (error) {
      await rm(home, { recursive: true, force: true });
      throw error;
    }
  }

  /** What is with a binary detached signature of `bytes`; with the several that one can hold. */
  async verify(bytes: Uint8Array, signature: Uint8Array): Promise<readonly GpgVerdict[]> {
    if (signature.length > maxSignature || !areSignatures(signature)) return [unreadable];
    const file = join(this.home, `signature-${this.count++}`);
    await writeFile(file, signature, { mode: 0o600 });
    const run = await runGpg([...common(this.options), "--verify", "--", file, "-"], bytes, {
      ...this.options,
      homedir: this.home,
    });
    const verdicts = verdictsIn(run.status);
    return verdicts.length === 0 ? [unreadable] : verdicts;
  }

  async close(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}

/** Nothing of the user's settings, no agent, no network, and all keys that are there are trusted. */
function common({ at }: GpgVerifyOptions): string[] {
  const time = at === undefined ? [] : ["--faked-system-time", `${at}!`];
  return [
    "--no-options",
    "--no-autostart",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--trust-model",
    "always",
    ...time,
  ];
}

const unreadable: GpgVerdict = { state: "unreadable", fingerprint: undefined, user: undefined, created: undefined };

/** The class of a signature that is of the very bytes: one of text would also be good for other ends of lines. */
const binary = "00";

const states: Readonly<Record<string, GpgVerdictState>> = {
  GOODSIG: "good",
  EXPSIG: "expired",
  EXPKEYSIG: "expired-key",
  REVKEYSIG: "revoked-key",
  BADSIG: "bad",
  ERRSIG: "unreadable",
};

/** What the lines of the status say of each signature, which begins with NEWSIG. */
export function verdictsIn(status: readonly (readonly string[])[]): GpgVerdict[] {
  const verdicts: { -readonly [Key in keyof GpgVerdict]: GpgVerdict[Key] }[] = [];
  const valid = new Set<GpgVerdict>();
  for (const [word = "", ...rest] of status) {
    if (word === "NEWSIG") verdicts.push({ ...unreadable });
    const last = verdicts.at(-1);
    if (last === undefined) continue;
    const state = states[word];
    if (state !== undefined) {
      last.state = state;
      if (word !== "ERRSIG") last.user = rest.slice(1).join(" ");
    }
    if (word === "ERRSIG") [last.fingerprint, last.created] = [known(rest[6]), seconds(rest[4])];
    if (word === "NO_PUBKEY") last.state = "unknown-key";
    if (word === "VALIDSIG") {
      [last.fingerprint, last.created] = [known(rest[9] ?? rest[0]), seconds(rest[2])];
      if (rest[8] === binary) valid.add(last);
    }
  }
  // One that is good without having been told to be valid is not good.
  for (const verdict of verdicts) if (verdict.state === "good" && !valid.has(verdict)) verdict.state = "unreadable";
  return verdicts;
}

function known(fingerprint: string | undefined): string | undefined {
  return fingerprint !== undefined && /^[0-9A-F]{40,64}$/.test(fingerprint) ? fingerprint : undefined;
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
