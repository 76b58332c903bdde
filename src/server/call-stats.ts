import { Counter, type Registry } from "prom-client";
import type { CallObserver } from "../rpc/observer.ts";
import type { Call } from "../rpc/service.ts";
import { grpcStatusName } from "../rpc/status.ts";

/** What one method has done. Plain numbers, so that a call costs an addition or two and scraping pays for the labels. */
class MethodStats {
  readonly byStatus = new Float64Array(17);
  seconds = 0;
  requestBytes = 0;
  responseBytes = 0;
}

/** Counts calls for `/metrics`. */
export class CallStats implements CallObserver {
  private readonly methods = new Map<string, MethodStats>();

  started(): void {}

  finished(
    { method }: Call,
    status: number,
    _message: string,
    requestBytes: number,
    responseBytes: number,
    milliseconds: number,
  ): void {
    let stats = this.methods.get(method);
    if (stats === undefined) {
      stats = new MethodStats();
      this.methods.set(method, stats);
    }
    stats.byStatus[status] = (stats.byStatus[status] ?? 0) + 1;
    stats.seconds += milliseconds / 1000;
    stats.requestBytes += requestBytes;
    stats.responseBytes += responseBytes;
  }

  /** Shows the counts in `registry`. */
  register(registry: Registry): void {
    const { methods } = this;
    const counter = (name: string, help: string, value: (stats: MethodStats) => number): void => {
      new Counter({
        name,
        help,
        labelNames: ["method"],
        registers: [registry],
        collect() {
          this.reset();
          for (const [method, stats] of methods) this.inc({ method }, value(stats));
        },
      });
    };
    new Counter({
      name: "stillage_rpc_calls_total",
      help: "gRPC calls that ended, by method and status",
      labelNames: ["method", "status"],
      registers: [registry],
      collect() {
        this.reset();
        for (const [method, { byStatus }] of methods) {
          for (const [code, calls] of byStatus.entries())
            if (calls > 0) this.inc({ method, status: grpcStatusName(code) }, calls);
        }
      },
    });
    counter("stillage_rpc_duration_seconds_total", "Time that gRPC calls took, in all", (stats) => stats.seconds);
    counter("stillage_rpc_request_bytes_total", "Bytes of request messages", (stats) => stats.requestBytes);
    counter("stillage_rpc_response_bytes_total", "Bytes of response messages", (stats) => stats.responseBytes);
  }
}
