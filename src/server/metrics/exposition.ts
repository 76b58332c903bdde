import { latencyBounds } from "./latency.ts";
import type { Reading, Sample } from "./meters.ts";

/** Readings in the text format of Prometheus, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export function exposition(readings: readonly Reading[]): string {
  return readings.map(family).join("");
}

function family(reading: Reading): string {
  const { name, type, help, samples } = reading;
  const lines = samples.map((sample) => lineOf(reading, sample)).join("");
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines}`;
}

function lineOf({ name, labels }: Reading, { labels: values, value }: Sample): string {
  const pairs = labels.map((label, i) => `${label}="${escapeValue(values[i] ?? "")}"`);
  if (typeof value === "number") return line(name, pairs, value);
  let total = 0;
  let text = "";
  for (const [i, count] of value.counts.entries()) {
    total += count;
    text += line(`${name}_bucket`, [...pairs, `le="${show(latencyBounds[i] ?? Infinity)}"`], total);
  }
  return `${text}${line(`${name}_sum`, pairs, value.sum)}${line(`${name}_count`, pairs, total)}`;
}

function line(name: string, pairs: readonly string[], value: number): string {
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${show(value)}\n`;
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
