import { createHash, randomBytes } from "node:crypto";

/** How every token begins, so that those who search for leaked secrets find it. */
export const tokenPrefix = "stillage_";

/** More than can be guessed, whoever tries, so that a plain hash is enough to keep. */
const secretBytes = 32;

export function newToken(): string {
  return tokenPrefix + randomBytes(secretBytes).toString("base64url");
}

/** What is kept of a token: SHA-256 in lower-case hex. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
