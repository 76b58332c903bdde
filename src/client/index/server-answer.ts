import { type Digest, parseDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { MessageType } from "../../base/message.ts";
import type { DigestMessage } from "../../cache/artifact-message.ts";

/** A message that a server answered with. Errors: `unavailable` for bytes that are none: whatever is there, it is no index. */
export function decodeAnswer<Shape extends object>(type: MessageType<Shape>, bytes: Uint8Array, from: string): Shape {
  return understood(from, () => type.decode(bytes));
}

/**
 * The digest of an artifact in an answer; `undefined` where there is none, or one with an empty hash, which stands for none. Artifacts have SHA-256. Errors:
 * `unavailable` for what is no such digest, and for content of more than `maxBytes`.
 */
export function digestInAnswer(message: DigestMessage | undefined, maxBytes: number, from: string): Digest | undefined {
  if (message === undefined || message.hash === "") return undefined;
  const digest = understood(from, () => parseDigest(message.hash, message.sizeBytes, sha256));
  if (digest.size <= maxBytes) return digest;
  throw new StillageError("unavailable", `${from} names ${digest.size} bytes; no artifact has more than ${maxBytes}`);
}

/** What `read` makes of an answer. Errors: `unavailable` in place of `invalid`, which would be our fault. */
export function understood<T>(from: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
    throw new StillageError("unavailable", `${from} answers what cannot be: ${error.message}`, { cause: error });
  }
}
