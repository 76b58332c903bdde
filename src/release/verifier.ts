import { verifyEd25519 } from "../ostree/ed25519.ts";
import { GpgKeyring, type GpgVerdictState } from "../ostree/gpg-verify.ts";
import { readOpenPgpSignatures } from "./openpgp.ts";
import type { GpgPublic, PublicKey } from "./public-keys.ts";

export type SignatureKind = PublicKey["kind"];

/** `expired` and `revoked` are good signatures that do not count any more; `unknown` are those of no key that is known. */
export type Verdict = "valid" | "expired" | "revoked" | "bad" | "unknown";

/** What came of verifying one signature. */
export interface Verification {
  readonly kind: SignatureKind;
  /** Nothing but `valid` counts. `unknown`: of no key that is known; of Ed25519, it may as well be of other bytes. */
  readonly verdict: Verdict;
  /** The key that made it, where it is known. */
  readonly key: PublicKey | undefined;
  /** The key's id, or what the signature itself says of its key. */
  readonly id: string | undefined;
}

const verdicts: Readonly<Record<GpgVerdictState, Verdict>> = {
  good: "valid",
  expired: "expired",
  "expired-key": "expired",
  "revoked-key": "revoked",
  bad: "bad",
  unreadable: "bad",
  "unknown-key": "unknown",
};

/** Verifies signatures against keys, and no others. */
export class Verifier {
  readonly keys: readonly PublicKey[];
  private readonly gpg: GpgKeyring | undefined;

  private constructor(keys: readonly PublicKey[], gpg: GpgKeyring | undefined) {
    this.keys = keys;
    this.gpg = gpg;
  }

  static async open(keys: readonly PublicKey[]): Promise<Verifier> {
    const keyrings = new Set(keys.flatMap((each) => (each.kind === "gpg" ? [each.keyring] : [])));
    return new Verifier(keys, keyrings.size === 0 ? undefined : await GpgKeyring.open(Buffer.concat([...keyrings])));
  }

  async verify(kind: SignatureKind, bytes: Uint8Array, signature: Uint8Array): Promise<Verification> {
    return kind === "ed25519" ? this.verifyEd25519(bytes, signature) : this.verifyGpg(bytes, signature);
  }

  private verifyEd25519(bytes: Uint8Array, signature: Uint8Array): Verification {
    const found = this.keys.find((each) => each.kind === "ed25519" && verifyEd25519(each.key, bytes, signature));
    return { kind: "ed25519", verdict: found === undefined ? "unknown" : "valid", key: found, id: found?.id };
  }

  private async verifyGpg(bytes: Uint8Array, signature: Uint8Array): Promise<Verification> {
    const issuer = issuerOf(signature);
    if (this.gpg === undefined) return { kind: "gpg", verdict: "unknown", key: undefined, id: issuer };
    const found = await this.gpg.verify(bytes, signature);
    const [only] = found;
    if (only === undefined || found.length > 1) return { kind: "gpg", verdict: "bad", key: undefined, id: issuer };
    const verdict = verdicts[only.state];
    // What a signature says of its key itself does for a message, and not to find the key of one that is good.
    const id = only.fingerprint ?? (verdict === "valid" ? undefined : issuer);
    const key = gpgKeyOf(this.keys, id);
    // One that is good by a key that is in a file of ours, but that the list does not have, would be one by nobody.
    return {
      kind: "gpg",
      verdict: verdict === "valid" && key === undefined ? "unknown" : verdict,
      key,
      id: key?.id ?? id,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gpg?.close();
  }
}

const keyIdDigits = 16;

/** The key of a fingerprint, or of the key ID that one ends with. */
export function gpgKeyOf(keys: readonly PublicKey[], fingerprint: string | undefined): GpgPublic | undefined {
  if (fingerprint === undefined || fingerprint.length < keyIdDigits) return undefined;
  return keys.find((each) => each.kind === "gpg" && each.fingerprints.some((one) => one.endsWith(fingerprint))) as
    | GpgPublic
    | undefined;
}

/** The key that a signature says it is by. */
export function issuerOf(signature: Uint8Array): string | undefined {
  try {
    return readOpenPgpSignatures(signature)[0]?.issuer;
  } catch {
    return undefined; // what cannot be read says nothing; verifying it says that it is bad
  }
}
