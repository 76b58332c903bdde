/** What a server says of its storage (remote_execution.proto, CacheCapabilities). */
export interface StorageCapabilities {
  /** What a batch may come to as a whole; 0 for a server that sets no limit of its own. */
  readonly maxBatchBytes: number;
  /** Larger blobs are not taken; 0 for no limit. */
  readonly maxBlobBytes: number;
  /** Whether action results may be written, which servers say by who asks; no server says so of blobs. `undefined` where it does not say. */
  readonly updates: boolean | undefined;
}

/** Of a server that does not know the question: what BuildStream's reference server allows, 1 MiB for a batch. */
export const unknownCapabilities: StorageCapabilities = Object.freeze({
  maxBatchBytes: 1 << 20,
  maxBlobBytes: 0,
  updates: undefined,
});
