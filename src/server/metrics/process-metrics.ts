import { collectDefaultMetrics, Registry } from "prom-client";

/** Gauges with the name of a counter; `nodejs_active_handles` and its like tell the same by kind. */
const misnamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** What prom-client tells of the process and of Node. */
export function processMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return registry;
}
