import { StillageError } from "../base/errors.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import { type Dictionary, lookUp } from "../base/gvariant/value.ts";
import { checkMetadataSize, reading } from "./metadata-limit.ts";

// Detached metadata is what `.commitmeta` and `summary.sig` hold: a dictionary, of which signatures are lists of bytes. All signatures
// of a commit are over the bytes of the commit object, and those of a summary over the bytes of the summary.

/** The keys of signatures. */
export const signatureKeys = { gpg: "ostree.gpgsigs", ed25519: "ostree.sign.ed25519" } as const;
export type SignatureKind = keyof typeof signatureKeys;

const signaturesType = "aay";

/** Signatures of a kind: each takes a program's run to verify. */
const maxSignatures = 100;

/** Errors: `invalid`, also for more than a hundred signatures of a kind. */
export function decodeDetached(bytes: Uint8Array): Dictionary {
  checkMetadataSize("detached metadata", bytes);
  const metadata = reading("detached metadata", () => decode("a{sv}", bytes) as Dictionary);
  for (const kind of ["gpg", "ed25519"] as const) {
    const count = signaturesIn(metadata, kind).length;
    if (count <= maxSignatures) continue;
    throw new StillageError(
      "invalid",
      `there are ${count} signatures of one kind, and ${maxSignatures} at most are read`,
    );
  }
  return metadata;
}

/** Errors: `invalid`. */
export function encodeDetached(metadata: Dictionary): Uint8Array<ArrayBuffer> {
  const bytes = encode("a{sv}", metadata);
  checkMetadataSize("detached metadata", bytes);
  return bytes;
}

/** The signatures of a kind, in the order in which they were made. */
export function signaturesIn(metadata: Dictionary, kind: SignatureKind): readonly Uint8Array[] {
  return (lookUp(metadata, signatureKeys[kind], signaturesType) as readonly Uint8Array[] | undefined) ?? [];
}

/** Adds a signature behind those of its kind, if it is not there; every other key stays as and where it is. */
export function withSignature(metadata: Dictionary, kind: SignatureKind, signature: Uint8Array): Dictionary {
  const before = signaturesIn(metadata, kind);
  if (before.some((each) => Buffer.compare(each, signature) === 0)) return metadata;
  const key = signatureKeys[kind];
  const entry = [key, { type: signaturesType, value: [...before, signature] }] as const;
  const at = metadata.findIndex(([name]) => name === key);
  return at < 0 ? [...metadata, entry] : metadata.with(at, entry);
}
