import type { DiskStore } from "../../../src/store/disk/open-store.ts";
import { blobOf } from "../power-blobs.ts";
import type { Say } from "../sayings.ts";

/** Puts the blob of a number and says so. */
export function putter(disk: DiskStore, say: Say): (number: number) => Promise<void> {
  return async (number) => {
    const { tenant, digest, bytes } = blobOf(number);
    await disk.tenant(tenant).put(digest, bytes);
    say(`has ${number}`);
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
