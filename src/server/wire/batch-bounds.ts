import { StillageError } from "../../base/errors.ts";
import type { ProtobufReader } from "../../base/protobuf.ts";

/**
 * Entries in one batch. The answer to more does not fit the 4 MiB that clients take in a message (some 60,000 SHA-256 digests do), and casd
 * sends a quarter of it. Without a limit, a request of a few megabytes would be millions of empty entries.
 */
export const maxBatchEntries = 65_536;

/** Notes where the entry lies that was just read: its start and its end in `bounds`. Errors: `invalid` for one too many. */
export function noteEntry(bounds: number[], { start, end }: ProtobufReader): void {
  if (bounds.length === maxBatchEntries * 2) {
    throw new StillageError("invalid", `the batch has more than ${maxBatchEntries} entries`, {
      hint: "split the batch",
    });
  }
  bounds.push(start, end);
}
