import { chunkSizes, FastCdc } from "./fast-cdc.ts";

/** What FastCdc2020Params recommends, and so what clients expect to share chunks by. */
export const averageChunkBytes = 512 << 10;

/** Chunks of 128 KiB to 2 MiB, of some 600 KiB in the middle. */
export const chunking = chunkSizes(averageChunkBytes);

export function newCutter(): FastCdc {
  return new FastCdc(chunking);
}

/** Whether chunks of these sizes can be what the cutter makes of a blob. */
export function mayBeCut(sizes: Float64Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const size = sizes[i] as number;
    if (size > chunking.max || size < (i === count - 1 ? 1 : chunking.min)) return false;
  }
  return true;
}
