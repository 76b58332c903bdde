import type { CommitCounts } from "../../cache/commit-index.ts";
import type { Family } from "./family.ts";

/** What is told of the OSTree view of each instance. `counts`: those of the last summary. */
export function commitFamilies(counts: () => Iterable<readonly [instance: string, CommitCounts]>): Family[] {
  const labels = ["instance_name"];
  const one = (type: "counter" | "gauge", name: string, help: string, of: (each: CommitCounts) => number): Family => ({
    ...{ type, name, help, labels },
    collect: (samples) => {
      for (const [instance, each] of counts()) samples.value(of(each), instance);
    },
  });
  return [
    one(
      "gauge",
      "stillage_ostree_listing_bytes",
      "Bytes of the last summary of the BuildStream 1.0 cache",
      (each) => each.summaryBytes,
    ),
    one(
      "counter",
      "stillage_ostree_listings_total",
      "Summaries of the BuildStream 1.0 cache that were made",
      (each) => each.made,
    ),
    {
      name: "stillage_ostree_refs",
      type: "gauge",
      help: "Refs when the last summary was made: listed in it, left out as it would become too long, or damaged",
      labels: [...labels, "state"],
      collect: (samples) => {
        for (const [instance, { listed, leftOut, damaged }] of counts()) {
          samples.value(listed, instance, "listed");
          samples.value(leftOut, instance, "left_out");
          samples.value(damaged, instance, "damaged");
        }
      },
    },
  ];
}
