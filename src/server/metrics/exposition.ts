import type { Family, Samples } from "./family.ts";
import { type Latency, latencyBounds } from "./latency.ts";

/** Families in the text format of Prometheus, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export function exposition(families: readonly Family[]): string {
  const page = new Page();
  for (const family of families) page.add(family);
  return page.text;
}

class Page implements Samples {
  text = "";
  private name = "";
  private labels: readonly string[] = [];

  add({ name, type, help, labels, collect }: Family): void {
    this.name = name;
    this.labels = labels;
    this.text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    collect(this);
  }

  value(value: number, ...values: readonly string[]): void {
    this.line(this.name, this.pairs(values), value);
  }

  latency({ counts, sum }: Latency, ...values: readonly string[]): void {
    const pairs = this.pairs(values);
    let total = 0;
    for (const [i, count] of counts.entries()) {
      total += count;
      this.line(`${this.name}_bucket`, [...pairs, `le="${show(latencyBounds[i] ?? Infinity)}"`], total);
    }
    this.line(`${this.name}_sum`, pairs, sum);
    this.line(`${this.name}_count`, pairs, total);
  }

  private line(name: string, pairs: readonly string[], value: number): void {
    const labels = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
    this.text += `${name}${labels} ${show(value)}\n`;
  }

  private pairs(values: readonly string[]): string[] {
    return this.labels.map((label, i) => `${label}="${escapeValue(values[i] ?? "")}"`);
  }
}

function show(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
