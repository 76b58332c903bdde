/** As the client of BuildStream reckons: what a batch's entry takes beside its bytes. */
const entryBytes = 256;

/** gRPC libraries take messages of 4 MiB; the rest is for what is not reckoned. */
export const maxBatchBytes = (4 << 20) - (64 << 10);

/** Of the smallest blobs: a slow disk finds and writes a hundred a second, and a call with as many as fit would look stuck. */
const maxEntries = 1000;

/** What a server with a slow disk may take for each entry of a batch, beyond what it may take for any call. */
export const entryPatienceMs = 20;

/** What a batch may come to at a server that allows `maxBatchTotalBytes`, 0 for no limit. */
export function batchLimit(maxBatchTotalBytes: number): number {
  return maxBatchTotalBytes === 0 ? maxBatchBytes : Math.min(maxBatchTotalBytes, maxBatchBytes);
}

/** Whether a blob of this size goes in a batch at all. */
export function fitsBatch(size: number, limit: number): boolean {
  return size + entryBytes <= limit;
}

/** Cuts a list into batches that are as full as the limit allows, in order. Each item has to fit by itself. */
export function cutIntoBatches<T>(items: readonly T[], sizeOf: (item: T) => number, limit: number): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item) + entryBytes;
    if ((bytes + size > limit || batch.length === maxEntries) && batch.length > 0) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
