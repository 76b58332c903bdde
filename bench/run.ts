// Measures Stillage and other cache servers in turn by the workloads of reapi-load: `run.ts --help`.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runMain } from "./interrupt.ts";
import { buildLoad } from "./load.ts";
import { describeMachine } from "./machine.ts";
import { positiveNumber } from "./positive-number.ts";
import { failedBy, progressLine, report } from "./report.ts";
import { type Contender, measure, type Plan } from "./rounds.ts";
import { chooseRows } from "./rows.ts";
import type { Sample } from "./samples.ts";
import { checkout, choosePeers, type Server, stillage, stillageWithRights } from "./servers.ts";

const help = `Usage: make bench, or node bench/run.ts [options]
  --rows a,b      these rows only; "all" adds those that are not measured otherwise
  --rounds N      rounds, the order of the servers reversed in every second (2)
  --passes N      timed passes of a row in a round, of which the median counts (3)
  --peers a,b     of bazel-remote, casd, reference (bazel-remote,casd)
  --rights        Stillage with an access file and an access log
  --dir DIR       where the servers get their fresh folders (.cache/bench)
  --json FILE     write every sample to FILE
  --markdown      print tables in Markdown
Environment: REAPI_LOAD_DIR (source of the load generator), BAZEL_REMOTE, BUILDBOX_CASD, BST_PYTHON (programs)`;

await runMain(async (signal) => {
  const { values } = parseArgs({
    options: {
      rows: { type: "string" },
      rounds: { type: "string", default: "2" },
      passes: { type: "string", default: "3" },
      peers: { type: "string", default: "bazel-remote,casd" },
      dir: { type: "string", default: join(checkout, ".cache/bench") },
      rights: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(help);

  const rows = chooseRows(values.rows);
  const contenders = [values.rights ? stillageWithRights : stillage, ...choosePeers(values.peers)].flatMap(contend);
  if (contenders.length === 0) throw new Error("there is no server to measure");
  const rounds = positiveNumber("rounds", values.rounds);
  const passes = positiveNumber("passes", values.passes);
  await mkdir(values.dir, { recursive: true });
  const load = await buildLoad(checkout, values.dir, signal);
  const plan: Plan = { rows, contenders, rounds, passes, load, base: values.dir };

  const samples: Sample[] = [];
  const total = rounds * rows.length * contenders.length;
  for await (const [row, sample] of measure(plan, signal)) {
    samples.push(sample);
    const place = `[${samples.length}/${total}] round ${sample.round} ${row.id} ${sample.server}`;
    console.error(`${place}: ${progressLine(row, sample)}`);
  }

  const machine = describeMachine();
  const names = contenders.map(({ server }) => server.name);
  console.log(`${machine}; rounds: ${rounds}, passes: ${passes}\n`);
  console.log(report(samples, rows, names, values.markdown ? "markdown" : "plain"));
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify({ machine, rounds, passes, samples }, undefined, 1)}\n`);
  }
  if (failedBy(samples, rows, stillage.name)) process.exitCode = 1;
});

/** The server with its program, or nothing, said aloud. */
function contend(server: Server): Contender[] {
  const program = server.locate();
  if (program === undefined) {
    console.error(`SKIPPED ${server.name}: ${server.hint}`);
    return [];
  }
  console.error(`${server.name}: ${program}`);
  return [{ server, program }];
}
