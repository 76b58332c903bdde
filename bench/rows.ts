import type { Pass } from "./load.ts";

/** What a row reports of a pass. */
export interface Metric {
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly of: (pass: Pass) => number;
}

/** One row of the table: a workload of `reapi-load` and what it has to reach. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly flags: readonly string[];
  readonly metric: Metric;
  /** The ratio to bazel-remote to reach, where there is one. */
  readonly target?: number;
  /** Measured only when asked for by `--rows`. */
  readonly extra?: true;
}

const throughput: Metric = { unit: "MB/s", better: "higher", of: (pass) => pass.mb_per_s ?? 0 };
const digests: Metric = { unit: "digests/s", better: "higher", of: (pass) => pass.items_per_s ?? 0 };
const calls: Metric = { unit: "calls/s", better: "higher", of: (pass) => pass.ops_per_s ?? 0 };
const latency: Metric = { unit: "µs", better: "lower", of: (pass) => pass.p50_us ?? 0 };

const flags = (text: string): readonly string[] => text.split(" ");
const small = (workload: string): readonly string[] => flags(`-workload ${workload} -streams 4`);
const find = (more: string): readonly string[] => flags(`-workload find-missing -calls 100 -streams 2 ${more}`);
const big = (workload: string, more: string): readonly string[] => flags(`-workload ${workload} ${more}`);
const one = (workload: string): readonly string[] => flags(`-workload ${workload} -calls 3000`);
const many = (workload: string): readonly string[] => flags(`-workload ${workload} -calls 20000 -streams 32 -conns 2`);

/** The ratio to buildbox-casd that every row has to reach: as fast as it. */
export const casdTarget = 1;

/** Peak memory of Stillage that no row may pass: 200 MiB. */
export const memoryTarget = 200 * 2 ** 20;

export const rows: readonly Row[] = [
  { id: "small-up", title: "20,000 small blobs up", flags: small("push-small"), metric: throughput, target: 3.5 },
  { id: "small-down", title: "20,000 small blobs down", flags: small("pull-small"), metric: throughput, target: 2.1 },
  {
    id: "small-down-shuffled",
    title: "the same in another order",
    flags: [...small("pull-small"), "-shuffle"],
    metric: throughput,
    target: 1.7,
  },
  { id: "find-all", title: "10,000 digests, all there", flags: find("-present 1"), metric: digests, target: 4 },
  { id: "find-half", title: "10,000 digests, half there", flags: find("-present 0.5"), metric: digests, target: 3 },
  { id: "mixed-up", title: "mixed artifact up", flags: small("push-mixed"), metric: throughput, target: 2 },
  { id: "mixed-down", title: "mixed artifact down", flags: small("pull-mixed"), metric: throughput, target: 1.6 },
  {
    id: "big-up",
    title: "big blobs up, 1 stream",
    flags: big("push-big", "-big 8 -streams 1"),
    metric: throughput,
    target: 1.4,
  },
  {
    id: "big-up-4",
    title: "big blobs up, 4 streams",
    flags: big("push-big", "-big 8 -streams 4"),
    metric: throughput,
    extra: true,
  },
  {
    id: "big-up-casd",
    title: "big blobs up, as casd sends them",
    flags: big("push-big", "-big 4 -streams 1 -chunk 16384"),
    metric: throughput,
    extra: true,
  },
  {
    id: "big-down",
    title: "big blobs down, 1 stream",
    flags: big("pull-big", "-big 16 -streams 1"),
    metric: throughput,
    target: 1.5,
  },
  {
    id: "big-down-4",
    title: "big blobs down, 4 streams",
    flags: big("pull-big", "-big 16 -streams 4"),
    metric: throughput,
    extra: true,
  },
  {
    id: "big-down-16",
    title: "big blobs down, 16 streams",
    flags: big("pull-big", "-big 16 -streams 16"),
    metric: throughput,
    extra: true,
  },
  {
    id: "big-down-conns",
    title: "big blobs down, 4 connections",
    flags: big("pull-big", "-big 16 -streams 4 -conns 4"),
    metric: throughput,
    extra: true,
  },
  {
    id: "big-down-unhashed",
    title: "big blobs down, client not hashing",
    flags: big("pull-big", "-big 16 -streams 1 -no-verify"),
    metric: throughput,
    extra: true,
  },
  { id: "latency-caps", title: "latency: capabilities", flags: one("lat-caps"), metric: latency, target: 0.9 },
  { id: "latency-find", title: "latency: find one digest", flags: one("lat-find"), metric: latency, target: 0.9 },
  { id: "latency-read", title: "latency: read one blob", flags: one("lat-read"), metric: latency, target: 0.9 },
  { id: "latency-action", title: "latency: action result", flags: one("lat-ac"), metric: latency, target: 0.9 },
  { id: "calls-caps", title: "capabilities, 32 in flight", flags: many("lat-caps"), metric: calls },
  { id: "calls-read", title: "small reads, 32 in flight", flags: many("lat-read"), metric: calls, target: 1.1 },
];

/** The rows of a comma-separated list of ids; `all` names every row, and no list those that are always measured. */
export function chooseRows(list: string | undefined): readonly Row[] {
  if (list === undefined) return rows.filter((row) => row.extra === undefined);
  if (list === "all") return rows;
  return list.split(",").map((id) => {
    const row = rows.find((candidate) => candidate.id === id);
    if (row === undefined) throw new Error(`no row is called ${id}; there are ${rows.map((r) => r.id).join(", ")}`);
    return row;
  });
}
