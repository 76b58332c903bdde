import type { Family } from "./family.ts";
import type { InstancePlaces } from "./instance-places.ts";

/** What can be looked up. */
export const lookupKinds = ["blob", "action_result", "asset", "artifact", "source", "reference"] as const;

export type LookupKind = (typeof lookupKinds)[number];

/** Of each kind in each instance: hits, misses. */
const columns = 2 * lookupKinds.length;

/** How often what was asked for was there, by kind and instance, whichever door it was asked at. */
export class Lookups {
  readonly families: readonly Family[];
  private readonly places: InstancePlaces;
  private readonly looked: Float64Array;
  /** Of each instance: present, missing. */
  private readonly asked: Float64Array;

  constructor(places: InstancePlaces) {
    this.places = places;
    this.looked = new Float64Array(places.names.length * columns);
    this.asked = new Float64Array(places.names.length * 2);
    this.families = [
      {
        name: "stillage_cache_lookups_total",
        type: "counter",
        help: "What clients asked for to have it: whether it was here (hit) or not (miss), by kind",
        labels: ["instance_name", "kind", "outcome"],
        collect: (samples) => {
          for (const [place, instance] of places.names.entries()) {
            for (const [i, kind] of lookupKinds.entries()) {
              const at = place * columns + 2 * i;
              samples.value(this.looked[at] as number, instance, kind, "hit");
              samples.value(this.looked[at + 1] as number, instance, kind, "miss");
            }
          }
        },
      },
      {
        name: "stillage_cache_find_missing_blobs_total",
        type: "counter",
        help: "Blobs of which FindMissingBlobs was asked whether they are here: present or missing",
        labels: ["instance_name", "outcome"],
        collect: (samples) => {
          for (const [place, instance] of places.names.entries()) {
            samples.value(this.asked[2 * place] as number, instance, "present");
            samples.value(this.asked[2 * place + 1] as number, instance, "missing");
          }
        },
      },
    ];
  }

  /** `place` is that of the instance; `kind` the index in `lookupKinds`. Nothing is counted for an instance that there is not. */
  count(place: number, kind: number, hits: number, misses: number): void {
    if (place === this.places.unknown) return;
    const at = place * columns + 2 * kind;
    this.looked[at] = (this.looked[at] as number) + hits;
    this.looked[at + 1] = (this.looked[at + 1] as number) + misses;
  }

  countAsked(place: number, present: number, missing: number): void {
    if (place === this.places.unknown) return;
    this.asked[2 * place] = (this.asked[2 * place] as number) + present;
    this.asked[2 * place + 1] = (this.asked[2 * place + 1] as number) + missing;
  }
}
