import type { CallObserver } from "../../rpc/observer.ts";
import type { Call } from "../../rpc/service.ts";
import { grpcStatusName } from "../../rpc/status.ts";
import type { Family, Samples } from "./family.ts";
import type { InstancePlaces } from "./instance-places.ts";
import { Latency } from "./latency.ts";
import { type CountLookups, lookupsOf } from "./lookup-methods.ts";
import type { Lookups } from "./lookups.ts";

const statuses = 17;
const requestBytesAt = statuses;
const responseBytesAt = statuses + 1;

/** What one method has done. Plain numbers, so that a call costs some additions and whoever asks for the metrics pays for the labels. */
class MethodCounts {
  readonly latency = new Latency();
  /** By the place of an instance: calls by status, bytes of requests, bytes of responses. */
  readonly cells: (Float64Array | undefined)[] = [];
  readonly countLookups: CountLookups;

  constructor(countLookups: CountLookups) {
    this.countLookups = countLookups;
  }

  cell(place: number): Float64Array {
    let cell = this.cells[place];
    if (cell === undefined) {
      cell = new Float64Array(statuses + 2);
      this.cells[place] = cell;
    }
    return cell;
  }
}

/** Counts gRPC calls. */
export class CallMetrics implements CallObserver {
  readonly families: readonly Family[];
  private readonly places: InstancePlaces;
  private readonly lookups: Lookups;
  private readonly methods = new Map<string, MethodCounts>();

  constructor(places: InstancePlaces, lookups: Lookups) {
    this.places = places;
    this.lookups = lookups;
    const bytes = (name: string, help: string, at: number): Family => ({
      ...{ name, type: "counter", help, labels: ["method", "instance_name"] },
      collect: (samples) => this.each((cell, method, instance) => samples.value(cell[at] as number, method, instance)),
    });
    this.families = [
      {
        name: "stillage_rpc_calls_total",
        type: "counter",
        help: "gRPC calls that ended",
        labels: ["method", "instance_name", "status"],
        collect: (samples) => this.each((cell, method, instance) => calls(cell, method, instance, samples)),
      },
      {
        name: "stillage_rpc_duration_seconds",
        type: "histogram",
        help: "Time that gRPC calls took, from their headers to their status",
        labels: ["method"],
        collect: (samples) => {
          for (const [method, { latency }] of this.methods) samples.latency(latency, method);
        },
      },
      bytes("stillage_rpc_request_bytes_total", "Bytes of request messages", requestBytesAt),
      bytes("stillage_rpc_response_bytes_total", "Bytes of response messages", responseBytesAt),
    ];
  }

  started(): void {}

  finished(call: Call, status: number, _message: string, requests: number, responses: number, ms: number): void {
    const { method } = call;
    let counts = this.methods.get(method);
    if (counts === undefined) {
      counts = new MethodCounts(lookupsOf(method, this.lookups));
      this.methods.set(method, counts);
    }
    const place = this.places.of(call.instance);
    const cell = counts.cell(place);
    cell[status] = (cell[status] as number) + 1;
    cell[requestBytesAt] = (cell[requestBytesAt] as number) + requests;
    cell[responseBytesAt] = (cell[responseBytesAt] as number) + responses;
    counts.latency.add(ms);
    counts.countLookups(place, status, call.found, call.absent);
  }

  private each(take: (cell: Float64Array, method: string, instance: string) => void): void {
    for (const [method, { cells }] of this.methods) {
      // What is about no instance is shown as what is about the one without a name.
      for (const [instance, cell] of merged(cells, this.places)) take(cell, method, instance);
    }
  }
}

function calls(cell: Float64Array, method: string, instance: string, samples: Samples): void {
  for (let status = 0; status < statuses; status++) {
    const count = cell[status] as number;
    if (count > 0) samples.value(count, method, instance, grpcStatusName(status));
  }
}

/** The cells by what is shown for their instances, each once. */
function merged(cells: readonly (Float64Array | undefined)[], places: InstancePlaces): Map<string, Float64Array> {
  const byName = new Map<string, Float64Array>();
  for (const [place, cell] of cells.entries()) {
    if (cell === undefined) continue;
    const name = places.name(place);
    const before = byName.get(name);
    byName.set(name, before === undefined ? cell : before.map((value, i) => value + (cell[i] as number)));
  }
  return byName;
}
