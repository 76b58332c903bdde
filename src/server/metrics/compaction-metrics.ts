import { type Family, single } from "./family.ts";

/** What compaction has done since the start. */
export interface CompactionFacts {
  readonly running: boolean;
  /** Packs that were given back. */
  readonly packs: number;
  /** Bytes that were copied to other packs for it. */
  readonly copied: number;
  /** Bytes that the disk has back. */
  readonly freed: number;
}

const none: CompactionFacts = { running: false, packs: 0, copied: 0, freed: 0 };

/** How the room of removed blobs was given back to the disk; zeros where it is not. */
export function compactionFamilies(source: () => CompactionFacts | undefined): Family[] {
  const now = (): CompactionFacts => source() ?? none;
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
