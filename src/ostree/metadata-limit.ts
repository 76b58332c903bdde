import { StillageError } from "../base/errors.ts";

/**
 * Bytes of a commit, dirtree, dirmeta, summary or detached metadata. It is the limit of clients up to libostree 2022.7; what is
 * larger would not be pulled by them.
 */
export const maxMetadataBytes = 10 * 1024 * 1024;

/** Refuses what is too large before it is read. Errors: `invalid`. */
export function checkMetadataSize(what: string, bytes: Uint8Array): void {
  if (bytes.length <= maxMetadataBytes) return;
  throw new StillageError("invalid", `a ${what} of ${bytes.length} bytes is larger than ${maxMetadataBytes} bytes`);
}

/** Runs `read`, and says of what fails in it what it was. Errors: `invalid`. */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StillageError)) throw error;
    throw new StillageError(error.code, `no OSTree ${what}: ${error.message}`, { cause: error });
  }
}
