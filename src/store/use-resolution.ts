/** Expiry thinks in hours, and each use that is noted may change an index file. */
const maxResolution = 600;

/** A tree that many ask for is walked no more often than this, however short the lease is. */
const leastUnaskedMs = 2000;

/** How much later than it is noted the last use of a blob may be, in seconds, for a lease of so many: a sweep makes leases longer by that. */
export function useResolution(lease: number | undefined): number {
  return lease === undefined ? maxResolution : Math.min(maxResolution, Math.floor(lease / 10));
}

/** Half of that is the store's: uses of a blob that are closer, in seconds, are noted as one, the first of them. */
export function noteResolution(lease: number | undefined): number {
  return Math.floor(useResolution(lease) / 2);
}

/**
 * The other half, in milliseconds, is for whoever says that blobs are there without asking the store, as he has asked before: for no longer than this, as
 * that alone is noted as a use. Leases of less than 40 seconds are shorter by what is missing to two.
 */
export function unaskedMs(lease: number | undefined): number {
  return Math.max(leastUnaskedMs, useResolution(lease) * 500);
}
