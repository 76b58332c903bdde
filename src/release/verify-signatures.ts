import { decodeDetached, signaturesIn } from "../ostree/detached.ts";
import type { SignatureKind, Verification, Verifier } from "./verifier.ts";
import type { Findings, KeySource } from "./verify-report.ts";

const kinds: readonly SignatureKind[] = ["gpg", "ed25519"];
const kindNames = { gpg: "GPG", ed25519: "Ed25519" } as const;

/** Verifies all signatures of detached metadata over `bytes`. Errors: `invalid` where it cannot be read. */
export async function verifyDetached(
  verifier: Verifier,
  bytes: Uint8Array,
  detached: Uint8Array,
): Promise<readonly Verification[]> {
  const metadata = decodeDetached(detached);
  const found: Verification[] = [];
  for (const kind of kinds) {
    for (const signature of signaturesIn(metadata, kind)) found.push(await verifier.verify(kind, bytes, signature));
  }
  return found;
}

/** Who signs, as a person reads it: `robot (Ed25519)`. A file of GPG keys can have several, each of which says whose it is. */
export function signerText({ kind, key, id }: Verification): string {
  const user = key?.kind === "gpg" && key.user !== "" ? key.user : undefined;
  return `${user ?? key?.name ?? id ?? "a key that is not known"} (${kindNames[kind]})`;
}

/**
 * Judges the signatures in the file `about` of the file `signed`. It needs one that is valid. One that is bad fails it all the same. One by a key that is not known fails it only
 * where the keys are the repository's own: those are to be all that sign there.
 */
export function judgeSignatures(
  about: string,
  signed: string,
  found: readonly Verification[],
  source: KeySource,
  findings: Findings,
): void {
  const by = (...verdicts: Verification["verdict"][]) => found.filter(({ verdict }) => verdicts.includes(verdict));
  const texts = (list: readonly Verification[]) => list.map(signerText).join(", ");
  const [valid, unknown, bad] = [by("valid"), by("unknown"), by("bad")];
  if (source === "none") {
    const signed = found.length === 0 ? "nobody has signed it" : `it has ${found.length} signatures`;
    findings.unchecked(about, `${signed}, and there is no key to verify any with`);
    return;
  }
  if (valid.length > 0) findings.ok(about, `signed by ${texts(valid)}`);
  for (const each of bad)
    findings.failed(about, `the signature of ${signerText(each)} is not one of ${signed} as it is here`);
  for (const each of by("expired", "revoked")) {
    const says = `the signature of ${signerText(each)} is good, but ${each.verdict}`;
    if (valid.length > 0) findings.unchecked(about, says);
    else findings.failed(about, says);
  }
  for (const each of unknown) {
    const says =
      each.kind === "gpg"
        ? `the signature of ${signerText(each)} is by a key that is not known`
        : `a signature of Ed25519 is by a key that is not known, or ${signed} was changed`;
    if (source === "repository" || valid.length === 0) findings.failed(about, says);
    else findings.unchecked(about, says);
  }
  if (found.length === 0) findings.failed(about, "nobody has signed it");
}
