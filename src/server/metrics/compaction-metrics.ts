import type { Compactions } from "../../store/disk/compaction.ts";
import { type Family, single } from "./family.ts";

/** How the room of removed blobs was given back to the disk. */
export function compactionFamilies(now: () => Compactions): Family[] {
  return [
    single("gauge", "stillage_compaction_running", "1 while packs are compacted", () => Number(now().running)),
    single("counter", "stillage_compaction_packs_total", "Packs that were given back to the disk", () => now().packs),
    single(
      "counter",
      "stillage_compaction_copied_bytes_total",
      "Bytes of blobs that were copied to other packs",
      () => now().copied,
    ),
    single("counter", "stillage_compaction_freed_bytes_total", "Bytes given back to the disk", () => now().freed),
  ];
}
