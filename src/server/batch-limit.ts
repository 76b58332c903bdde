import { StillageError } from "../base/errors.ts";

/** Errors: `invalid` where a batch is larger than the capabilities say. */
export function checkBatchTotal(total: number, limit: number): void {
  if (total <= limit) return;
  throw new StillageError("invalid", `the blobs of the batch come to ${total} bytes; at most ${limit} go in one call`, {
    hint: "split the batch, and send large blobs by ByteStream",
  });
}
