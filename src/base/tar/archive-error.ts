import { StillageError } from "../errors.ts";

/** What an archive holds that cannot be, or must not become, a directory of the cache. Fetching it again would not help. */
export function badArchive(why: string, cause?: unknown): StillageError {
  return new StillageError("failed-precondition", `the archive cannot be taken: ${why}`, { cause });
}

/** A part of an archive as messages show it. */
export function showBytes(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes.subarray(0, 200)).toString());
}
