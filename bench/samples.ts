import type { Row } from "./rows.ts";

/** What one server did with one row in one round. */
export interface Sample {
  readonly row: string;
  readonly server: string;
  readonly round: number;
  /** Of the pass of median duration, in the unit of the row. Absent where the server failed. */
  readonly value?: number;
  /** CPU seconds of the server in that pass. */
  readonly cpuSeconds?: number;
  /** Most resident bytes of the server since its start. */
  readonly peakBytes?: number;
  readonly p50us?: number;
  readonly p99us?: number;
  readonly error?: string;
}

export type Figure = "value" | "cpuSeconds" | "peakBytes";

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  const high = sorted[sorted.length >> 1] ?? Number.NaN;
  return (low + high) / 2;
}

/** The samples of one row and server, in the order of rounds. */
export function select(samples: readonly Sample[], row: Row, server: string): readonly Sample[] {
  return samples.filter((sample) => sample.row === row.id && sample.server === server);
}

/** The median over the rounds of one figure. */
export function medianOf(samples: readonly Sample[], row: Row, server: string, figure: Figure): number | undefined {
  const figures = select(samples, row, server).map((sample) => sample[figure]);
  return median(figures.filter((value) => value !== undefined));
}

/** A server's value as a multiple of a peer's: taken in each round, then the median, so that no round is compared with another. */
export function ratio(samples: readonly Sample[], row: Row, server: string, peer: string): number | undefined {
  const theirs = select(samples, row, peer);
  const ratios = select(samples, row, server).flatMap(({ round, value }) => {
    const other = theirs.find((sample) => sample.round === round)?.value;
    return value === undefined || other === undefined ? [] : [value / other];
  });
  return median(ratios);
}

/** Whether a ratio is as good as the target or better. */
export function reaches(row: Row, measured: number, target: number): boolean {
  return row.metric.better === "higher" ? measured >= target : measured <= target;
}
