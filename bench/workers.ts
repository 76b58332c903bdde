// Stillage with one, two and four workers: `node bench/workers.ts [N …]`. The load generator runs on the same machine and takes its share of the
// processors. Environment: REAPI_LOAD_DIR, its source. Each figure is the median of three passes, and the best of two rounds.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { freshDirectory } from "./fresh-directory.ts";
import { runMain } from "./interrupt.ts";
import { buildLoad, type Pass, runLoad } from "./load.ts";
import { describeMachine } from "./machine.ts";
import { positiveNumber } from "./positive-number.ts";
import { startServer } from "./server-process.ts";
import { checkout, stillage } from "./servers.ts";
import { renderTable } from "./table.ts";

const rounds = 2;
/** Enough that every worker has some: the kernel spreads connections, not calls. */
const connections = "8";

interface Row {
  readonly title: string;
  readonly flags: string;
  readonly tls?: true;
  readonly of: (pass: Pass) => number;
}

const throughput = (pass: Pass): number => pass.mb_per_s ?? 0;
const calls = (pass: Pass): number => pass.ops_per_s ?? 0;
const digests = (pass: Pass): number => (pass.items_per_s ?? 0) / 1e6;

const rows: readonly Row[] = [
  { title: "small blobs up, MB/s", flags: "-workload push-small -streams 8", of: throughput },
  { title: "small blobs down, MB/s", flags: "-workload pull-small -streams 8", of: throughput },
  { title: "find missing, million digests/s", flags: "-workload find-missing -calls 100 -streams 8", of: digests },
  { title: "reads of 4 KiB, calls/s", flags: "-workload lat-read -calls 20000 -streams 32", of: calls },
  { title: "one read at a time, calls/s", flags: "-workload lat-read -calls 3000 -streams 1", of: calls },
  { title: "big blobs up, MB/s", flags: "-workload push-big -big 8 -streams 4", of: throughput },
  { title: "big blobs down, MB/s", flags: "-workload pull-big -big 8 -streams 4", of: throughput },
  { title: "big blobs up by TLS, MB/s", flags: "-workload push-big -big 8 -streams 4", tls: true, of: throughput },
  { title: "big blobs down by TLS, MB/s", flags: "-workload pull-big -big 8 -streams 4", tls: true, of: throughput },
  { title: "small blobs down by TLS, MB/s", flags: "-workload pull-small -streams 8", tls: true, of: throughput },
];

await runMain(async (signal) => {
  const words = process.argv.slice(2);
  const counts = (words.length === 0 ? ["1", "2", "4"] : words).map((word) => positiveNumber("workers", word));
  await using directory = await freshDirectory(join(checkout, ".cache/bench"));
  const load = await buildLoad(checkout, directory.path, signal);
  const certificate = join(directory.path, "server.crt");
  const key = join(directory.path, "server.key");
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key];
  const named = ["-out", certificate, "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"];
  await promisify(execFile)("openssl", ["req", "-x509", ...made, ...named], { signal });

  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const count of round % 2 === 0 ? counts : counts.toReversed()) {
      for (const row of rows) {
        const found = await measure(row, count);
        const cell = `${row.title} ${count}`;
        best.set(cell, Math.max(found, best.get(cell) ?? 0));
        console.error(`round ${round + 1}, ${count} workers, ${row.title}: ${show(found)}`);
      }
    }
  }
  const figures = rows.map(({ title }) => [title, ...counts.map((count) => show(best.get(`${title} ${count}`) ?? 0))]);
  console.log(`${describeMachine()}; the client on the same machine, ${connections} connections\n`);
  console.log(renderTable([["", ...counts.map((count) => `${count} workers`)], ...figures], "markdown"));

  async function measure({ flags, tls, of }: Row, count: number): Promise<number> {
    const program = stillage.locate() ?? "";
    await using fresh = await freshDirectory(directory.path);
    const launch = await stillage.launch(program, fresh.path);
    const listen = tls ? `address=127.0.0.1:0,cert=${certificate},key=${key}` : "127.0.0.1:0";
    const args = launch.args.map((word) => (word === "127.0.0.1:0" ? listen : word));
    await using server = await startServer({ ...launch, args: [...args, "--workers", String(count)] }, signal);
    const trust = tls ? ["-tls-ca", certificate] : [];
    const report = await runLoad(load, server, ["-conns", connections, ...trust, ...flags.split(" ")], signal);
    if (report.error !== undefined) throw new Error(report.error);
    return of(report.median);
  }
});

function show(figure: number): string {
  return figure < 100 ? figure.toFixed(2) : Math.round(figure).toLocaleString("en");
}
