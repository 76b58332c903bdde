import type { Family, Samples } from "./family.ts";
import type { Latency } from "./latency.ts";

/** What a family says, as plain values: another thread can be told of it. */
export interface Reading extends Pick<Family, "name" | "type" | "help" | "labels"> {
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Of the labels, in their order. */
  readonly labels: readonly string[];
  /** A number, or calls by the bound of `latencyBounds` that they are not beyond, and the sum of their seconds. */
  readonly value: number | Pick<Latency, "counts" | "sum">;
}

/** The families of one thread. */
export class Meters {
  private readonly families: Family[] = [];

  add(families: readonly Family[]): void {
    this.families.push(...families);
  }

  /** What they say now. */
  read(): Reading[] {
    return this.families.map(({ name, type, help, labels, collect }) => {
      const taken = new Taken();
      collect(taken);
      return { name, type, help, labels, samples: taken.samples };
    });
  }
}

class Taken implements Samples {
  readonly samples: Sample[] = [];

  value(value: number, ...labels: readonly string[]): void {
    this.samples.push({ labels, value });
  }

  latency({ counts, sum }: Latency, ...labels: readonly string[]): void {
    this.samples.push({ labels, value: { counts, sum } });
  }
}

/** The readings of several threads as those of one: what has the same name and labels adds up. */
export function addedUp(threads: readonly (readonly Reading[])[]): Reading[] {
  const families = new Map<string, { readonly reading: Reading; readonly samples: Map<string, Sample> }>();
  for (const reading of threads.flat()) {
    let family = families.get(reading.name);
    if (family === undefined) {
      family = { reading, samples: new Map() };
      families.set(reading.name, family);
    }
    for (const { labels, value } of reading.samples) {
      const key = JSON.stringify(labels);
      const before = family.samples.get(key);
      family.samples.set(key, before === undefined ? { labels, value } : { labels, value: sum(before.value, value) });
    }
  }
  return [...families.values()].map(({ reading, samples }) => ({ ...reading, samples: [...samples.values()] }));
}

function sum(one: Sample["value"], other: Sample["value"]): Sample["value"] {
  if (typeof one === "number" || typeof other === "number") return Number(one) + Number(other);
  return { counts: one.counts.map((count, i) => count + (other.counts[i] as number)), sum: one.sum + other.sum };
}
