import type { HttpRequest } from "../../http/exchange.ts";
import type { HttpObserver } from "../http-observer.ts";
import type { Family } from "./family.ts";
import type { InstancePlaces } from "./instance-places.ts";
import { Latency } from "./latency.ts";
import { type LookupKind, type Lookups, lookupKinds } from "./lookups.ts";

/** Methods that something answers. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST"]);

const lookedUp: Readonly<Record<string, LookupKind>> = { cas: "blob", ac: "action_result" };

const labels = ["method", "route"] as const;

interface Cell {
  readonly byStatus: Map<number, number>;
  requestBytes: number;
  responseBytes: number;
}

interface RouteCounts {
  readonly method: string;
  readonly route: string;
  readonly latency: Latency;
  readonly byInstance: Map<string, Cell>;
}

/** Counts HTTP requests by what kind of path they are for. */
export class HttpMetrics implements HttpObserver {
  readonly families: readonly Family[];
  private readonly places: InstancePlaces;
  private readonly lookups: Lookups;
  private readonly routes = new Map<string, RouteCounts>();

  constructor(places: InstancePlaces, lookups: Lookups) {
    this.places = places;
    this.lookups = lookups;
    const bytes = (name: string, help: string, of: (cell: Cell) => number): Family => ({
      ...{ name, type: "counter", help, labels: [...labels, "instance_name"] },
      collect: (samples) =>
        this.each((cell, method, route, instance) => samples.value(of(cell), method, route, instance)),
    });
    this.families = [
      {
        name: "stillage_http_requests_total",
        type: "counter",
        help: "HTTP requests that ended; those that are no gRPC calls",
        labels: [...labels, "instance_name", "status"],
        collect: (samples) =>
          this.each(({ byStatus }, method, route, instance) => {
            for (const [status, count] of byStatus) samples.value(count, method, route, instance, String(status));
          }),
      },
      {
        name: "stillage_http_duration_seconds",
        type: "histogram",
        help: "Time that HTTP requests took, from their headers to the end of the answer",
        labels,
        collect: (samples) => {
          for (const { method, route, latency } of this.routes.values()) samples.latency(latency, method, route);
        },
      },
      bytes("stillage_http_request_bytes_total", "Bytes of request bodies", (cell) => cell.requestBytes),
      bytes("stillage_http_response_bytes_total", "Bytes of response bodies", (cell) => cell.responseBytes),
    ];
  }

  answered(request: HttpRequest, status: number, responseBytes: number, milliseconds: number): void {
    const counts = this.countsOf(request);
    counts.latency.add(milliseconds);
    const place = this.places.of(request.instance);
    const cell = cellOf(counts, this.places.name(place));
    cell.byStatus.set(status, (cell.byStatus.get(status) ?? 0) + 1);
    cell.requestBytes += request.received;
    cell.responseBytes += responseBytes;
    const kind = lookedUp[request.route];
    if (kind === undefined || request.method === "PUT") return;
    const at = lookupKinds.indexOf(kind);
    if (status === 404) this.lookups.count(place, at, 0, 1);
    else if (status < 400) this.lookups.count(place, at, 1, 0);
  }

  private countsOf(request: HttpRequest): RouteCounts {
    const method = methods.has(request.method) ? request.method : "other";
    const route = request.route === "" ? "other" : request.route;
    const key = `${method} ${route}`;
    let counts = this.routes.get(key);
    if (counts === undefined) {
      counts = { method, route, latency: new Latency(), byInstance: new Map() };
      this.routes.set(key, counts);
    }
    return counts;
  }

  private each(take: (cell: Cell, method: string, route: string, instance: string) => void): void {
    for (const { method, route, byInstance } of this.routes.values()) {
      for (const [instance, cell] of byInstance) take(cell, method, route, instance);
    }
  }
}

function cellOf({ byInstance }: RouteCounts, instance: string): Cell {
  let cell = byInstance.get(instance);
  if (cell === undefined) {
    cell = { byStatus: new Map(), requestBytes: 0, responseBytes: 0 };
    byInstance.set(instance, cell);
  }
  return cell;
}
