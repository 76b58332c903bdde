import type { Admission } from "../admission.ts";
import { bounded } from "../admission-counts.ts";
import { type Family, single } from "./family.ts";

export interface DoorFacts {
  readonly connections: () => number;
  readonly admission: Admission;
}

/** What is going on at the doors of one thread, and what they refused. Those of several threads add up. */
export function doorFamilies({ connections, admission }: DoorFacts): Family[] {
  return [
    single("gauge", "stillage_rpc_connections", "Open HTTP/2 connections", connections),
    single("gauge", "stillage_server_calls", "Calls and HTTP requests in progress", () => admission.current("calls")),
    single("gauge", "stillage_server_uploads", "Uploads in progress", () => admission.current("uploads")),
    {
      name: "stillage_server_refused_total",
      type: "counter",
      help: "What was refused because there was too much of it",
      labels: ["limit"],
      collect: (samples) => {
        for (const kind of bounded) samples.value(admission.refused(kind), kind);
      },
    },
  ];
}
