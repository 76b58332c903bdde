import { newFolder } from "../cli/support/folder.ts";
import { serve } from "../cli/support/programs.ts";

/** A metric as a server shows it. */
export interface ShownMetric {
  readonly type: string;
  readonly help: string;
  /** Labels of its samples, of which there may be none yet; without those that belong to its type. */
  readonly labels: readonly string[] | undefined;
}

/** What `/metrics` of a server with workers, which shows the most, shows after a request. */
export async function metricsPage(): Promise<string> {
  await using folder = await newFolder();
  await using server = await serve("stillage", ["serve", "store", "--workers", "2", "--listen", "127.0.0.1:0"], {
    cwd: folder.path,
  });
  const url = `http://${server.listeners[0]?.address}`;
  await fetch(`${url}/cas/${"0".repeat(64)}`);
  return (await fetch(`${url}/metrics`)).text();
}

/** The metrics of a page, by their names. */
export function metricsOf(page: string): Map<string, ShownMetric> {
  const metrics = new Map<string, ShownMetric>();
  for (const [, name = "", help = "", type = "", samples = ""] of page.matchAll(
    /^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)\n((?:[^#\n].*\n|\n)*)/gm,
  )) {
    const [, pairs] = /^\w+(?:\{(.*)\})? /.exec(samples) ?? [];
    const labels = [...(pairs ?? "").matchAll(/(\w+)="/g)].map(([, label = ""]) => label);
    const own = labels.filter((label) => label !== "le" && label !== "quantile");
    metrics.set(name, { type, help, labels: samples.trim() === "" ? undefined : own });
  }
  return metrics;
}

/** Names of metrics of ours, of the process and of Prometheus in an expression, without what their type adds. */
export function metricsIn(expression: string, known: ReadonlyMap<string, ShownMetric>): string[] {
  const names = [...expression.matchAll(/\b(?:stillage|process|nodejs)_\w+/g)].map(([name]) => name);
  return names.map((name) => {
    const whole = name.replace(/_(bucket|sum|count)$/, "");
    return known.get(whole)?.type === "histogram" ? whole : name;
  });
}
