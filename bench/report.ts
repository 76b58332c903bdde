import { casdTarget, memoryTarget, type Row } from "./rows.ts";
import { medianOf, ratio, reaches, type Sample, select } from "./samples.ts";
import { type Cells, renderTable, type Style } from "./table.ts";

const ours = "stillage";

/** The tables of a run: speed with ratios and targets, then what the servers used, then what they failed at. */
export function report(
  samples: readonly Sample[],
  rows: readonly Row[],
  servers: readonly string[],
  style: Style,
): string {
  const parts = [renderTable(speed(samples, rows, servers), style), renderTable(use(samples, rows, servers), style)];
  const failed = failures(samples);
  if (failed.length > 0) parts.push(failed.join("\n"));
  return parts.join("\n\n");
}

function speed(samples: readonly Sample[], rows: readonly Row[], servers: readonly string[]): Cells {
  const compared = servers.includes(ours) ? ["bazel-remote", "casd"].filter((peer) => servers.includes(peer)) : [];
  const head = ["row", "unit", ...servers, ...compared.map((peer) => `${ours} / ${peer}`)];
  const lines = rows.map((row) => [
    row.title,
    row.metric.unit,
    ...servers.map((server) => show(medianOf(samples, row, server, "value"), row.metric.better === "lower" ? 0 : 1)),
    ...compared.map((peer) => {
      const measured = ratio(samples, row, ours, peer);
      return verdict(row, measured, peer === "casd" ? casdTarget : row.target);
    }),
  ]);
  return [head, ...lines];
}

function verdict(row: Row, measured: number | undefined, target: number | undefined): string {
  if (measured === undefined) return "-";
  if (target === undefined) return measured.toFixed(2);
  const sign = row.metric.better === "higher" ? "≥" : "≤";
  return `${measured.toFixed(2)} (${sign} ${target}: ${mark(reaches(row, measured, target))})`;
}

function use(samples: readonly Sample[], rows: readonly Row[], servers: readonly string[]): Cells {
  const head = ["row", ...servers.flatMap((server) => [`${server} CPU s`, `${server} peak MiB`])];
  const lines = rows.map((row) => [
    row.title,
    ...servers.flatMap((server) => {
      const peak = medianOf(samples, row, server, "peakBytes");
      const limit = server === ours && peak !== undefined ? ` (${mark(peak <= memoryTarget)})` : "";
      const mebibytes = peak === undefined ? undefined : peak / 2 ** 20;
      return [show(medianOf(samples, row, server, "cpuSeconds"), 2), show(mebibytes, 0) + limit];
    }),
  ]);
  return [head, ...lines];
}

function failures(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ row, server, round, error }) =>
    error === undefined ? [] : [`${server} failed ${row} in round ${round}: ${error}`],
  );
}

/** One sample in a line, for the progress of a run. */
export function progressLine(row: Row, sample: Sample): string {
  if (sample.value === undefined) return `failed: ${sample.error}`;
  const peak = sample.peakBytes === undefined ? "" : `, peak ${Math.round(sample.peakBytes / 2 ** 20)} MiB`;
  return `${show(sample.value, 1)} ${row.metric.unit}, CPU ${show(sample.cpuSeconds, 2)} s${peak}`;
}

const mark = (reached: boolean): string => (reached ? "pass" : "short");

const show = (value: number | undefined, digits: number): string =>
  value === undefined ? "-" : value.toFixed(value >= 1000 ? 0 : digits);

/** Whether the server failed at any row. */
export function failedBy(samples: readonly Sample[], rows: readonly Row[], server: string): boolean {
  return rows.some((row) => select(samples, row, server).some((sample) => sample.error !== undefined));
}
