// What expiry costs: pushes at the quota beside pushes without one, and what readers wait meanwhile. `expiry.ts --help`.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Readers } from "./expiry-readers.ts";
import { freshDirectory } from "./fresh-directory.ts";
import { runMain } from "./interrupt.ts";
import { buildLoad, runLoad } from "./load.ts";
import { describeMachine } from "./machine.ts";
import { positiveNumber } from "./positive-number.ts";
import { median } from "./samples.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { checkout } from "./servers.ts";
import { renderTable } from "./table.ts";

const help = `Usage: node bench/expiry.ts [options]
  --rounds N      rounds, the order of the servers reversed in every second (6)
  --quota MIB     the quota of the one that expires (3072)
  --dir DIR       where the servers get their fresh folders (.cache/bench)
  --json          print JSON
Environment: REAPI_LOAD_DIR (source of the load generator), REAPI_LOAD (the program itself)`;

/** Of pushes at the quota, as a part of those without one; of the p99 of readers, as a multiple. */
const throughputTarget = 0.7;
const latencyTarget = 2;

interface Sample {
  readonly mbPerSecond: number;
  readonly read50: number;
  readonly read99: number;
  readonly fetch50: number;
  readonly fetch99: number;
}

interface Contender {
  readonly name: "with a quota" | "without";
  readonly server: ServerProcess;
  readonly readers: Readers;
  readonly samples: Sample[];
}

await runMain(async (signal) => {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "6" },
      quota: { type: "string", default: "3072" },
      dir: { type: "string", default: join(checkout, ".cache/bench") },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(help);
  const rounds = positiveNumber("rounds", values.rounds);
  const quota = positiveNumber("quota", values.quota) * 2 ** 20;
  const load = process.env.REAPI_LOAD ?? (await buildLoad(checkout, values.dir, signal));

  await using directory = await freshDirectory(values.dir);
  await using withQuota = await start(directory.path, "quota", ["--quota", String(quota), "--lease", "1s"], signal);
  await using without = await start(directory.path, "none", [], signal);
  using one = new Readers(withQuota.address);
  using other = new Readers(without.address);
  const contenders: Contender[] = [
    { name: "with a quota", server: withQuota, readers: one, samples: [] },
    { name: "without", server: without, readers: other, samples: [] },
  ];
  let seed = 1;
  for (const { server, readers } of contenders) {
    for (let pushed = 0; pushed < quota; seed++)
      pushed += await push(load, server, seed, signal).then(({ bytes }) => bytes);
    await readers.prepare();
  }
  for (let round = 1; round <= rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders.toReversed() : contenders) {
      const sample = await measure(contender, load, seed++, signal);
      contender.samples.push(sample);
      console.error(`round ${round}, ${contender.name}: ${JSON.stringify(sample)}`);
    }
  }
  const sweeps = await sweepsOf(withQuota.address);
  if (values.json)
    console.log(
      JSON.stringify(
        { machine: describeMachine(), sweeps, contenders: contenders.map(({ name, samples }) => ({ name, samples })) },
        undefined,
        2,
      ),
    );
  else print(contenders, sweeps);
});

function start(base: string, name: string, options: readonly string[], signal: AbortSignal): Promise<ServerProcess> {
  const args = [join(checkout, "src/main.ts"), "serve", join(base, name), "--listen", "127.0.0.1:0", ...options];
  return startServer({ command: process.execPath, args: ["--max-semi-space-size=4", ...args] }, signal);
}

async function push(
  load: string,
  server: ServerProcess,
  seed: number,
  signal: AbortSignal,
): Promise<{ bytes: number; mbPerSecond: number }> {
  const flags = ["-workload", "push-mixed", "-streams", "4", "-repeat", "1", "-warmup", "0", "-seed", String(seed)];
  const { median: pass, error } = await runLoad(load, server, flags, signal);
  if (error !== undefined) throw new Error(`a push failed: ${error}`);
  const mbPerSecond = pass.mb_per_s ?? 0;
  return { mbPerSecond, bytes: mbPerSecond * 1e6 * pass.seconds };
}

async function measure(
  { server, readers }: Contender,
  load: string,
  seed: number,
  signal: AbortSignal,
): Promise<Sample> {
  const pushed = new AbortController();
  const reading = readers.measure(pushed.signal);
  const { mbPerSecond } = await push(load, server, seed, signal).finally(() => pushed.abort());
  const { read, fetch } = await reading;
  const [read50, read99] = [quantile(read, 0.5), quantile(read, 0.99)];
  return { mbPerSecond, read50, read99, fetch50: quantile(fetch, 0.5), fetch99: quantile(fetch, 0.99) };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Sweeps and their seconds, as `/metrics` tells. */
async function sweepsOf(address: string): Promise<{ sweeps: number; seconds: number }> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const value = (line: RegExp): number => Number(line.exec(text)?.[1] ?? Number.NaN);
  return {
    sweeps: value(/^stillage_sweeps_total\{outcome="done"\} (\S+)$/m),
    seconds: value(/^stillage_sweep_seconds_total (\S+)$/m),
  };
}

function print(contenders: readonly Contender[], { sweeps, seconds }: { sweeps: number; seconds: number }): void {
  const [limited, free] = contenders as [Contender, Contender];
  const row = (what: string, of: (sample: Sample) => number, unit: string, aim: string): string[] => {
    const a = median(limited.samples.map(of)) ?? Number.NaN;
    const b = median(free.samples.map(of)) ?? Number.NaN;
    const ratios = limited.samples.map((sample, i) => of(sample) / of(free.samples[i] as Sample));
    return [what, `${a.toFixed(2)} ${unit}`, `${b.toFixed(2)} ${unit}`, (median(ratios) ?? Number.NaN).toFixed(2), aim];
  };
  const cells = [
    ["", limited.name, free.name, "ratio", "aim"],
    row("mixed artifacts up", (each) => each.mbPerSecond, "MB/s", `>= ${throughputTarget}`),
    row("small read, p50", (each) => each.read50, "ms", ""),
    row("small read, p99", (each) => each.read99, "ms", `< ${latencyTarget}`),
    row("FetchBlob, p50", (each) => each.fetch50, "ms", ""),
    row("FetchBlob, p99", (each) => each.fetch99, "ms", `< ${latencyTarget}`),
  ];
  console.log(
    `${renderTable(cells, "plain")}\n\n${sweeps} sweeps, ${seconds.toFixed(1)} s; ${JSON.stringify(describeMachine())}`,
  );
}
