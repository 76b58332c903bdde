import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runGpg } from "./gnupg.ts";

/**
 * What gpg says of a signature: `valid`; `expired`, good by a key that has expired since, or itself expired; `revoked`, good by a key that is revoked;
 * `bad`, not of these bytes; `unknown`, by a key that is not there.
 */
export type GpgVerdict = "valid" | "expired" | "revoked" | "bad" | "unknown";

export interface GpgVerification {
  readonly verdict: GpgVerdict;
  /** The primary key's fingerprint; where the key is not known, what the signature says; `undefined` where that is nothing. */
  readonly fingerprint: string | undefined;
}

/** Public keys against which signatures are verified, in a directory of their own: no key of the user counts. */
export class GpgKeyring {
  private readonly directory: string;
  private count = 0;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** `keys`: public keys, binary. */
  static async open(keys: readonly Uint8Array[]): Promise<GpgKeyring> {
    // Its mode is 0700, as gpg demands.
    const keyring = new GpgKeyring(await mkdtemp(join(tmpdir(), "stillage-gpg-")));
    await writeFile(keyring.file, Buffer.concat(keys));
    return keyring;
  }

  private get file(): string {
    return join(this.directory, "keys.gpg");
  }

  /** `signature`: one packet, binary. Errors: those of running gpg. */
  async verify(bytes: Uint8Array, signature: Uint8Array): Promise<GpgVerification> {
    const file = join(this.directory, `${this.count++}.sig`);
    await writeFile(file, signature);
    try {
      const words = ["--no-options", "--homedir", this.directory, "--no-default-keyring", "--keyring", this.file];
      const quiet = ["--lock-never", "--trust-model", "always", "--no-auto-key-retrieve", "--status-fd", "1"];
      const { output } = await runGpg([...words, ...quiet, "--verify", file, "-"], bytes);
      return verdictOf(output.toString());
    } finally {
      await rm(file, { force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

const verdicts: readonly [keyword: string, verdict: GpgVerdict][] = [
  ["BADSIG", "bad"],
  ["REVKEYSIG", "revoked"],
  ["EXPKEYSIG", "expired"],
  ["EXPSIG", "expired"],
  ["GOODSIG", "valid"],
];

/** Reads the lines of `--status-fd` (GnuPG, doc/DETAILS). What is not said to be good is not. */
function verdictOf(text: string): GpgVerification {
  const lines = text.split("\n").map((line) => line.replace(/^\[GNUPG:\] /, "").split(" "));
  const words = (keyword: string): readonly string[] | undefined => lines.find(([first]) => first === keyword);
  const valid = words("VALIDSIG");
  const fingerprint = valid?.[10] ?? valid?.[1];
  for (const [keyword, verdict] of verdicts) {
    const found = words(keyword);
    if (found === undefined) continue;
    // A signature counts as good only where gpg also says by which key.
    if (verdict !== "bad" && fingerprint === undefined) break;
    return { verdict, fingerprint: fingerprint ?? found[1] };
  }
  const missing = words("ERRSIG");
  const issuer = missing?.[7];
  if (words("NO_PUBKEY") !== undefined) {
    return { verdict: "unknown", fingerprint: issuer === undefined || issuer === "-" ? missing?.[1] : issuer };
  }
  return { verdict: "bad", fingerprint: undefined };
}
