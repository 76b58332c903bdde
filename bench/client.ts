// Compares pulls and pushes with those of the real `bst`: `client.ts --help`.
import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { createBst } from "../test/clients/support/bst.ts";
import { buildLoads, type ClientLoad, type ClientLoads } from "./client-project.ts";
import { freshDirectory } from "./fresh-directory.ts";
import { runMain } from "./interrupt.ts";
import { describeMachine } from "./machine.ts";
import { positiveNumber } from "./positive-number.ts";
import { median } from "./samples.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { checkout } from "./servers.ts";
import { renderTable } from "./table.ts";

const help = `Usage: node bench/client.ts [options]
  --files N      small files of one artifact (20000)
  --megabytes N  size of the large file (1000)
  --elements N   artifacts that are moved by one command (200)
  --only LOAD    small, large or many alone
  --rounds N     rounds, of which the median counts (3)
  --dir DIR      where caches and stores get a fresh folder (.cache/bench)
  --markdown     print the table in Markdown
Needs what 'make build' makes, and BuildStream: scripts/clients/bst.sh 2.8.1`;

const bstVersion = "2.8.1";

/** How many times as fast as `bst` transfers of small files have to be. */
const target = 3;

const run = promisify(execFile);

const steps = ["push", "push again", "pull", "pull again"] as const;
type Step = (typeof steps)[number];
type Program = "bst" | "stillage";

interface Figure {
  readonly load: ClientLoad["id"];
  readonly step: Step;
  readonly program: Program;
  readonly seconds: number;
}

await runMain(async (signal) => {
  const { values } = parseArgs({
    options: {
      files: { type: "string", default: "20000" },
      megabytes: { type: "string", default: "1000" },
      elements: { type: "string", default: "200" },
      only: { type: "string" },
      rounds: { type: "string", default: "3" },
      dir: { type: "string", default: join(checkout, ".cache/bench") },
      markdown: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(help);
  const sizes = {
    files: positiveNumber("files", values.files),
    megabytes: positiveNumber("megabytes", values.megabytes),
    elements: positiveNumber("elements", values.elements),
  };
  await using directory = await freshDirectory(values.dir);
  const loads = await buildLoads(directory.path, bstVersion, sizes);
  const chosen = loads.loads.filter(({ id }) => values.only === undefined || values.only === id);
  const figures: Figure[] = [];
  const rounds = positiveNumber("rounds", values.rounds);
  for (let round = 1; round <= rounds; round++) {
    const order: readonly Program[] = round % 2 === 0 ? ["stillage", "bst"] : ["bst", "stillage"];
    for (const load of chosen) {
      const folder = join(directory.path, `${load.id}-${round}`);
      await mkdir(folder);
      for await (const figure of measure({ loads, load, order, folder, signal })) {
        figures.push(figure);
        console.error(
          `round ${round}, ${load.title}, ${figure.step}: ${figure.program} ${figure.seconds.toFixed(2)} s`,
        );
      }
    }
  }
  const line = (load: ClientLoad, step: Step): string[] => {
    const middle = (program: Program): number => {
      const own = figures.filter((each) => each.load === load.id && each.step === step && each.program === program);
      return median(own.map(({ seconds }) => seconds)) ?? Number.NaN;
    };
    const times = middle("bst") / middle("stillage");
    const judged = load.id === "small" && !step.endsWith("again");
    const verdict = judged ? ` (>= ${target}: ${times >= target ? "pass" : "short"})` : "";
    return [
      `${step}: ${load.title}`,
      middle("bst").toFixed(2),
      middle("stillage").toFixed(2),
      `${times.toFixed(1)}${verdict}`,
    ];
  };
  console.log(`${describeMachine()}\n`);
  const head = ["whole commands, medians", `bst ${bstVersion}, s`, "stillage, s", "times as fast"];
  const table = [head, ...chosen.flatMap((load) => steps.map((step) => line(load, step)))];
  console.log(renderTable(table, values.markdown ? "markdown" : "plain"));
});

interface Plan {
  readonly loads: ClientLoads;
  readonly load: ClientLoad;
  readonly order: readonly Program[];
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Each program pushes to a fresh server, twice; then both pull from the last of these into fresh caches, twice. Nothing is removed meanwhile: some file systems are slow for minutes after that. */
async function* measure({ loads, load, order, folder, signal }: Plan): AsyncGenerator<Figure> {
  const { machine, project } = loads;
  const base = { load: load.id } as const;
  let server: ServerProcess | undefined;
  try {
    for (const program of order) {
      await server?.stop();
      server = await serve(join(folder, `store-${program}`), signal);
      const bst = await machine.configured({ artifacts: [{ url: `http://${server.address}`, push: true }] });
      const push =
        program === "bst"
          ? () => bst.ok(project, "artifact", "push", ...load.artifacts)
          : stillage("push", server, machine.cache, load);
      yield { ...base, program, step: "push", seconds: await timed(folder, push) };
      yield { ...base, program, step: "push again", seconds: await timed(folder, push) };
    }
    if (server === undefined) return;
    for (const program of order) {
      const home = join(folder, `home-${program}`);
      await mkdir(home);
      const bst = await createBst(bstVersion, home, { artifacts: [{ url: `http://${server.address}` }] });
      const pull =
        program === "bst"
          ? () => bst.ok(project, "artifact", "pull", ...load.artifacts)
          : stillage("pull", server, bst.cache, load);
      yield { ...base, program, step: "pull", seconds: await timed(folder, pull) };
      yield { ...base, program, step: "pull again", seconds: await timed(folder, pull) };
    }
  } finally {
    await server?.stop();
    if (load.id === "large") await rm(folder, { recursive: true });
  }
}

function serve(store: string, signal: AbortSignal): Promise<ServerProcess> {
  const args = ["serve", store, "--listen", "127.0.0.1:0"];
  return startServer({ command: join(checkout, "bin/stillage"), args }, signal);
}

function stillage(
  what: "pull" | "push",
  server: ServerProcess,
  cache: string,
  { artifacts }: ClientLoad,
): () => Promise<unknown> {
  const flags = ["--remote", `http://${server.address}`, "--cache", cache];
  const env = { PATH: process.env.PATH, HOME: cache, XDG_CONFIG_HOME: cache, XDG_STATE_HOME: cache };
  return () =>
    run(join(checkout, "bin/stillage"), ["artifact", what, ...flags, ...artifacts], {
      env,
      cwd: "/",
      maxBuffer: 1 << 26,
    });
}

async function timed(folder: string, work: () => Promise<unknown>): Promise<number> {
  // What was written before is not to slow this down.
  await run("sync", ["-f", folder]);
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
