import type { Latency } from "./latency.ts";

/** The metrics of one name, as Prometheus has them (prometheus.io/docs/concepts/metric_types). */
export interface Family {
  /** `stillage_AREA_WHAT_UNIT`; a counter's ends in `_total`. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /**
   * Names of labels, each with few values: it is known beforehand which there can be. An instance's is `instance_name`, as Prometheus has an `instance` of
   * its own, the server.
   */
  readonly labels: readonly string[];
  /** Says what is so now. */
  collect(samples: Samples): void;
}

/** Takes the values of a family. */
export interface Samples {
  /** `values` are those of the labels, in their order. */
  value(value: number, ...values: readonly string[]): void;
  latency(latency: Latency, ...values: readonly string[]): void;
}

/** A part of the server that has something to tell. */
export interface MetricSource {
  readonly families: readonly Family[];
}

/** A family of one value without labels. */
export function single(type: "counter" | "gauge", name: string, help: string, value: () => number): Family {
  return { name, type, help, labels: [], collect: (samples) => samples.value(value()) };
}
