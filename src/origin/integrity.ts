import { createHash, type Hash } from "node:crypto";
import { StillageError } from "../base/errors.ts";

export type HashName = "sha256" | "sha384" | "sha512";

/** The strongest first (W3C Subresource Integrity, section 3.2.2). */
const strengths: readonly { readonly name: HashName; readonly bytes: number }[] = [
  { name: "sha512", bytes: 64 },
  { name: "sha384", bytes: 48 },
  { name: "sha256", bytes: 32 },
];

/** What content has to be: one of these, by the one function that counts. */
export interface Integrity {
  readonly function: HashName;
  /** In lower-case hex; sorted, each once. */
  readonly hashes: readonly string[];
}

/** Longer lists than anybody has mirrors of different content for. */
const maxHashes = 100;

/**
 * The value of `checksum.sri`: hashes divided by spaces, of which those of the strongest function count and any of them will do
 * (W3C Subresource Integrity, section 3.3.3). Functions that nobody knows are left out, as the specification has it; unlike there, a value of
 * which nothing is left is refused: it would let anything pass. Errors: `invalid`.
 */
export function parseIntegrity(text: string): Integrity {
  const parts = text.split(/[\t\n\f\r ]+/).filter(Boolean);
  if (parts.length > maxHashes) throw new StillageError("invalid", `checksum.sri has more than ${maxHashes} hashes`);
  for (const { name, bytes } of strengths) {
    const hashes = parts.filter((part) => part.startsWith(`${name}-`)).map((part) => parseHash(part, name, bytes));
    if (hashes.length > 0) return { function: name, hashes: [...new Set(hashes)].sort() };
  }
  throw new StillageError("invalid", "checksum.sri has no hash of sha256, sha384 or sha512", {
    hint: "it looks like sha256-, and the hash in Base64",
  });
}

/** `FUNCTION-BASE64`, and options that nothing is known of behind a `?`. */
function parseHash(part: string, name: HashName, bytes: number): string {
  const [, base64 = ""] = /^[a-z0-9]+-([A-Za-z0-9+/_-]+={0,2})(?:\?[\x21-\x7e]*)?$/.exec(part) ?? [];
  const hash = Buffer.from(base64, "base64"); // either alphabet
  if (hash.length === bytes && base64.replace(/=+$/, "").length === Math.ceil((bytes * 4) / 3))
    return hash.toString("hex");
  throw new StillageError("invalid", `${JSON.stringify(part.slice(0, 100))} is no ${name} in Base64`);
}

/** As `checksum.sri` would say it: one spelling for what means the same. */
export function showIntegrity({ function: name, hashes }: Integrity): string {
  return hashes.map((hash) => `${name}-${Buffer.from(hash, "hex").toString("base64")}`).join(" ");
}

/** Hashes content that comes, unless somebody else does so by the same function. */
export class IntegrityCheck {
  private readonly integrity: Integrity | undefined;
  private readonly hash: Hash | undefined;

  /** `digestFunction` is the name of the function by which the store knows the content. */
  constructor(integrity: Integrity | undefined, digestFunction: string) {
    this.integrity = integrity;
    if (integrity !== undefined && integrity.function !== digestFunction) this.hash = createHash(integrity.function);
  }

  update(chunk: Uint8Array): void {
    this.hash?.update(chunk);
  }

  /** `digestHash` is what the store's function gave. Errors: `aborted` where the content is not what it has to be. */
  check(digestHash: string): void {
    if (this.integrity === undefined) return;
    const found = this.hash?.digest("hex") ?? digestHash;
    if (this.integrity.hashes.includes(found)) return;
    const { function: name, hashes } = this.integrity;
    throw new StillageError("aborted", `the content's ${name} is ${found}, not ${hashes.join(" or ")}`);
  }
}
