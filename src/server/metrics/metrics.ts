import { collectDefaultMetrics, Registry } from "prom-client";
import { exposition } from "./exposition.ts";
import type { Family } from "./family.ts";

/** Gauges with the name of a counter; what they tell is in `nodejs_active_resources` and its like. */
const misnamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** What `/metrics` shows: our families, and what prom-client tells of the process and of Node. */
export class Metrics {
  private readonly families: readonly Family[];
  private readonly process = new Registry();

  constructor(families: readonly Family[]) {
    this.families = families;
    collectDefaultMetrics({ register: this.process });
    for (const name of misnamed) this.process.removeSingleMetric(name);
  }

  /** In the text format of Prometheus. */
  async show(): Promise<string> {
    return exposition(this.families) + (await this.process.metrics());
  }
}
