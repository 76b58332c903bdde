import { statfsSync } from "node:fs";
import type { StoreUsage } from "../../store/blob-store.ts";
import { type Family, single } from "./family.ts";

export interface StoreFacts {
  readonly directory: string;
  readonly usage: () => StoreUsage & Partial<StoreParts>;
  /** What each instance has. */
  readonly byInstance: () => ReadonlyMap<string, InstanceUsage>;
}

/** Bytes on the disk by what they are. What is missing is not known. */
export interface StoreParts {
  /** What the blobs that are there take. */
  readonly live: number;
  /** What is left of removed ones, until it is compacted. */
  readonly dead: number;
  /** What the quota limits, too: the names. */
  readonly others: number;
}

export interface InstanceUsage extends Partial<Pick<StoreParts, "live" | "dead">> {
  readonly blobs: number;
}

const parts = ["live", "dead", "others"] as const;

/** How full the store is, and the disk that it is on. */
export function storeFamilies({ directory, usage, byInstance }: StoreFacts): Family[] {
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
        for (const [instance, { blobs }] of byInstance()) samples.value(blobs, instance);
      },
    },
    {
      name: "stillage_store_instance_bytes",
      type: "gauge",
      help: "Bytes of an instance on the disk: of live blobs, and of dead ones until they are compacted",
      labels: ["instance_name", "kind"],
      collect: (samples) => {
        for (const [instance, { live, dead }] of byInstance()) {
          if (live !== undefined) samples.value(live, instance, "live");
          if (dead !== undefined) samples.value(dead, instance, "dead");
        }
      },
    },
    {
      name: "stillage_store_bytes",
      type: "gauge",
      help: "Bytes on the disk: of live blobs, of dead ones until they are compacted, and of the names (others)",
      labels: ["kind"],
      collect: (samples) => {
        const now = usage();
        for (const kind of parts) {
          const bytes = now[kind];
          if (bytes !== undefined) samples.value(bytes, kind);
        }
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
