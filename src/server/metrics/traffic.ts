import { CallMetrics } from "./call-metrics.ts";
import type { Family } from "./family.ts";
import { HttpMetrics } from "./http-metrics.ts";
import { InstancePlaces } from "./instance-places.ts";
import { Lookups } from "./lookups.ts";

/** What comes and goes, at all doors. `instances`: those that there are. */
export class Traffic {
  readonly calls: CallMetrics;
  readonly requests: HttpMetrics;
  readonly families: readonly Family[];

  constructor(instances: readonly string[]) {
    const places = new InstancePlaces(instances);
    const lookups = new Lookups(places);
    this.calls = new CallMetrics(places, lookups);
    this.requests = new HttpMetrics(places, lookups);
    this.families = [...this.calls.families, ...this.requests.families, ...lookups.families];
  }
}
