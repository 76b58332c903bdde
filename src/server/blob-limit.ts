import { StillageError } from "../base/errors.ts";

/** Errors: `invalid` where a blob is larger than the capabilities say. `undefined`: no limit. */
export function checkBlobSize(size: number, limit: number | undefined): void {
  if (limit === undefined || size <= limit) return;
  throw new StillageError("invalid", `a blob of ${size} bytes is larger than this cache takes (${limit})`);
}
