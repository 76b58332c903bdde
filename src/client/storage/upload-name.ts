import { createHash } from "node:crypto";
import { homedir, hostname } from "node:os";
import type { Digest } from "../../base/digest.ts";

/**
 * The name of an upload, a UUID: the same for the same blob, user and machine, so that a later process goes on where an earlier one was cut off.
 */
export function uploadName({ hash }: Digest): string {
  const seed = createHash("sha256").update(["stillage", hostname(), homedir(), hash].join("\0")).digest();
  // Servers of BuildStream 1.x take those of version 4 alone (RFC 9562), which says that all else in it is by chance.
  seed[6] = ((seed[6] as number) & 0x0f) | 0x40;
  seed[8] = ((seed[8] as number) & 0x3f) | 0x80;
  const hex = seed.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
