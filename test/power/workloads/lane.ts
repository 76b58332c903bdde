import { batchOf } from "../../../src/store/batch.fixture.ts";
import type { DiskStore } from "../../../src/store/disk/open-store.ts";
import { blobOf, type PowerBlob } from "../power-blobs.ts";
import type { Say } from "../sayings.ts";

/** Puts the blob of a number and says so. */
export function putter(disk: DiskStore, say: Say): (number: number) => Promise<void> {
  return async (number) => {
    const { tenant, digest, bytes } = blobOf(number);
    await disk.tenant(tenant).put(digest, bytes);
    say(`has ${number}`);
  };
}

/** Puts the blobs of some numbers together, those of one tenant and function at a time, and says so. */
export function batchPutter(disk: DiskStore, say: Say): (numbers: readonly number[]) => Promise<void> {
  return async (numbers) => {
    const batches = Map.groupBy(numbers.map(blobOf), ({ tenant, digest }) => `${tenant} ${digest.function.name}`);
    const put = async (blobs: readonly PowerBlob[]): Promise<void> => {
      const [failure] = await disk.tenant(blobs[0]?.tenant ?? "").putBatch(batchOf(blobs));
      if (failure !== undefined) throw failure[1];
      for (const { number } of blobs) say(`has ${number}`);
    };
    await Promise.all(Array.from(batches.values(), put));
  };
}

/** Removes the blob of a number and says so. */
export function remover(disk: DiskStore, say: Say): (number: number) => Promise<void> {
  return async (number) => {
    const { tenant, digest } = blobOf(number);
    say(`removing ${number}`);
    await disk.tenant(tenant).remove(digest);
    say(`removed ${number}`);
  };
}
