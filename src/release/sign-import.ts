import { readFile, stat } from "node:fs/promises";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { isArmoured, readOpenPgpSignatures } from "./openpgp.ts";
import type { Payload } from "./payloads.ts";
import type { PublicKey } from "./public-keys.ts";
import { type SignatureKind, Verifier } from "./verifier.ts";

/** A signature, and what it is of. */
export interface MadeSignature {
  readonly payload: Payload;
  readonly kind: SignatureKind;
  /** As OSTree keeps it: one packet of OpenPGP, or 64 bytes. */
  readonly signature: Uint8Array;
  readonly key: PublicKey;
}

/** Longer than any file with some signatures. */
const maxFileBytes = 64 << 10;

const ed25519Bytes = 64;

/**
 * Reads files with signatures and finds out, by verifying, which payload each is of: their names do not count. All are good, or none is taken. Errors:
 * `invalid` and `failed-precondition`, which name the file and say why; `not-found`.
 */
export async function readMadeSignatures(
  paths: readonly string[],
  payloads: readonly Payload[],
  keys: readonly PublicKey[],
): Promise<readonly MadeSignature[]> {
  await using verifier = await Verifier.open(keys);
  const made: MadeSignature[] = [];
  for (const path of paths) {
    for (const { kind, signature } of signaturesIn(path, await read(path))) {
      made.push(await payloadOf(path, kind, signature, payloads, verifier));
    }
  }
  return made;
}

async function payloadOf(
  path: string,
  kind: SignatureKind,
  signature: Uint8Array,
  payloads: readonly Payload[],
  verifier: Verifier,
): Promise<MadeSignature> {
  let why = "it is of none of the files that were given out, or by a key that is not known here";
  for (const payload of payloads) {
    const { verdict, key, id } = await verifier.verify(kind, payload.bytes, signature);
    if (verdict === "valid" && key !== undefined) return { payload, kind, signature, key };
    if (verdict === "unknown" && id !== undefined) why = `the key ${id} is not known here`;
    if (verdict === "expired" || verdict === "revoked") why = `the key ${id} is ${verdict}`;
  }
  throw new StillageError("failed-precondition", `the signature in ${path} does not count: ${why}`, {
    hint: "`stillage release keys add` makes a key known; `release sign --export` gives out once more what is to be signed",
  });
}

/** The signatures in a file: OpenPGP, armoured or not; 64 bytes of Ed25519, as they are or in base64. Errors: `invalid`. */
function signaturesIn(path: string, bytes: Uint8Array): readonly { kind: SignatureKind; signature: Uint8Array }[] {
  if (bytes.length === ed25519Bytes) return [{ kind: "ed25519", signature: bytes }];
  const text = Buffer.from(bytes).toString("latin1").trim();
  const decoded = Buffer.from(text, "base64");
  if (decoded.length === ed25519Bytes && decoded.toString("base64") === text) {
    return [{ kind: "ed25519", signature: decoded }];
  }
  try {
    return readOpenPgpSignatures(bytes).map(({ bytes: signature }) => ({ kind: "gpg", signature }));
  } catch (error) {
    if (!(error instanceof StillageError)) throw error;
    const hint = isArmoured(bytes)
      ? {}
      : { hint: "a signature of OpenPGP, or of Ed25519: 64 bytes, or those in base64" };
    throw new StillageError("invalid", `${path}: ${error.message}`, { ...hint, cause: error });
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) throw new StillageError("invalid", `${path} is too long for a signature`);
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new StillageError("not-found", `there is no ${path}`);
    throw fromFileSystem(error, `the signature ${path} cannot be read`);
  }
}
