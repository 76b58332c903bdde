import { statfsSync } from "node:fs";
import type { StoreUsage } from "../../store/blob-store.ts";
import { type Family, single } from "./family.ts";

export interface StoreFacts {
  readonly directory: string;
  readonly usage: () => StoreUsage;
  readonly instances: readonly string[];
  /** Blobs of an instance. */
  readonly count: (instance: string) => number;
}

/** How full the store is, and the disk that it is on. */
export function storeFamilies({ directory, usage, instances, count }: StoreFacts): Family[] {
  const disk = (): { readonly free: number; readonly size: number } => {
    const { bavail, blocks, bsize } = statfsSync(directory);
    return { free: bavail * bsize, size: blocks * bsize };
  };
  return [
    single("gauge", "stillage_store_blobs", "Blobs in the store", () => usage().blobs),
    {
      name: "stillage_store_instance_blobs",
      type: "gauge",
      help: "Blobs of an instance",
      labels: ["instance_name"],
      collect: (samples) => {
        for (const instance of instances) samples.value(count(instance), instance);
      },
    },
    single("gauge", "stillage_store_used_bytes", "Bytes that the store takes on disk", () => usage().bytes),
    single(
      "gauge",
      "stillage_store_quota_bytes",
      "The hard limit of the store; +Inf where there is none",
      () => usage().quota ?? Infinity,
    ),
    single("gauge", "stillage_disk_free_bytes", "Bytes free on the disk that holds the store", () => disk().free),
    single("gauge", "stillage_disk_size_bytes", "Bytes of the disk that holds the store", () => disk().size),
  ];
}
