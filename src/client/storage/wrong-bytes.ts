import { type Digest, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { StorageServer } from "./storage-server.ts";

const hint = "a copy is damaged, or something on the way changes what is sent; over TLS it could not";

/** For bytes that a server gave and that are not those of their digest. */
export function wrongBytes({ spec }: StorageServer, digest: Digest): StillageError {
  return new StillageError("corrupt", `${spec.name} gives other bytes for ${showDigest(digest)}`, { hint });
}

/** For bytes that a server refuses because they are not those of their digest. */
export function refusedBytes({ spec }: StorageServer, digest: Digest, said: string): StillageError {
  return new StillageError("corrupt", `${spec.name} refuses the bytes of ${showDigest(digest)}: ${said}`, { hint });
}
