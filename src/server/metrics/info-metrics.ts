import { boundsOf } from "../admission.ts";
import { bounded } from "../admission-counts.ts";
import type { ServerOptions } from "../server-options.ts";
import type { Family } from "./family.ts";

/** What the server is, and what it was told that it may have. */
export function infoFamilies(options: ServerOptions): Family[] {
  const { version, services } = options;
  const bounds = boundsOf(options);
  return [
    {
      name: "stillage_server_info",
      type: "gauge",
      help: "1; the labels say what the program is",
      labels: ["version", "services"],
      collect: (samples) => samples.value(1, version, services),
    },
    {
      name: "stillage_server_limit",
      type: "gauge",
      help: "How much of it is served at a time, over all clients",
      labels: ["limit"],
      collect: (samples) => {
        for (const kind of bounded) samples.value(bounds[kind].all, kind);
      },
    },
  ];
}
