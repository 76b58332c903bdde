import { type Admission, bounded } from "../admission.ts";
import type { Part } from "../services.ts";
import { type Family, single } from "./family.ts";

export interface ServerFacts {
  readonly version: string;
  readonly services: Part;
  readonly ready: () => boolean;
  readonly connections: () => number;
  readonly admission: Admission;
}

/** What the server is, what is going on in it, and what it refused. */
export function serverFamilies({ version, services, ready, connections, admission }: ServerFacts): Family[] {
  return [
    {
      name: "stillage_server_info",
      type: "gauge",
      help: "1; the labels say what the program is",
      labels: ["version", "services"],
      collect: (samples) => samples.value(1, version, services),
    },
    single("gauge", "stillage_server_ready", "1 while the server takes calls", () => Number(ready())),
    single("gauge", "stillage_rpc_connections", "Open HTTP/2 connections", connections),
    single("gauge", "stillage_server_calls", "Calls and HTTP requests in progress", () => admission.current("calls")),
    single("gauge", "stillage_server_uploads", "Uploads in progress", () => admission.current("uploads")),
    {
      name: "stillage_server_limit",
      type: "gauge",
      help: "How much of it is served at a time, over all clients",
      labels: ["limit"],
      collect: (samples) => {
        for (const kind of bounded) samples.value(admission.limit(kind), kind);
      },
    },
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
