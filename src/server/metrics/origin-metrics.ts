import type { OriginCounts } from "../../origin/origin.ts";
import { type Family, single } from "./family.ts";

const none: OriginCounts = { downloads: { stored: 0, failed: 0 }, bytes: 0, running: 0 };

/** What was fetched from elsewhere; zeros where nothing is. */
export function originFamilies(origin: { counts(): OriginCounts } | undefined): Family[] {
  const counts = (): OriginCounts => origin?.counts() ?? none;
  return [
    {
      name: "stillage_origin_downloads_total",
      type: "counter",
      help: "Downloads from origins that ended",
      labels: ["outcome"],
      collect: (samples) => {
        for (const [outcome, count] of Object.entries(counts().downloads)) samples.value(count, outcome);
      },
    },
    single(
      "counter",
      "stillage_origin_bytes_total",
      "Bytes of downloads from origins that were stored",
      () => counts().bytes,
    ),
    single("gauge", "stillage_origin_downloads_running", "Downloads from origins under way", () => counts().running),
  ];
}
