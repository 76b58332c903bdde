import type { BlobBatch, BlobStore } from "./blob-store.ts";

/** What `BlobStore.putBatch` promises, for stores that gain nothing from several blobs at once. */
export async function putEach(store: Pick<BlobStore, "put">, batch: BlobBatch): Promise<ReadonlyMap<number, unknown>> {
  const { digests, starts } = batch;
  const failures = new Map<number, unknown>();
  const put = (_: number, i: number): Promise<unknown> =>
    store.put(digests.at(i), bodyOf(batch, i)).catch((error) => failures.set(i, error));
  await Promise.all(starts.map(put));
  return failures;
}

/** A view of the bytes of blob `i`. */
export function bodyOf({ bytes, starts, lengths }: BlobBatch, i: number): Uint8Array {
  const start = starts[i] as number;
  return bytes.subarray(start, start + (lengths[i] as number));
}
