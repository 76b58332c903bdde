// Measures how fast Stillage is ready with a million small blobs, and what memory they cost: `startup.ts --help`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkFilled, fill } from "./fill.ts";
import { freshDirectory } from "./fresh-directory.ts";
import { runMain } from "./interrupt.ts";
import { describeMachine } from "./machine.ts";
import { positiveNumber } from "./positive-number.ts";
import { median } from "./samples.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { checkout, stillage } from "./servers.ts";
import { renderTable } from "./table.ts";

const help = `Usage: node bench/startup.ts [options]
  --count N     blobs of 100 bytes (1000000)
  --starts N    starts in each state, of which the median counts (3)
  --dir DIR     where the server gets a fresh folder (.cache/bench)
  --json FILE   write the figures to FILE
  --markdown    print the table in Markdown`;

/** Seconds from the start of the process to its ready line, with the store full. */
const targetSeconds = 2;

/** What the starts in one state of the store came to: medians. */
interface State {
  readonly state: string;
  readonly starts: number;
  readonly readySeconds: number;
  readonly residentBytes: number;
}

await runMain(async (signal) => {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "1000000" },
      starts: { type: "string", default: "3" },
      dir: { type: "string", default: join(checkout, ".cache/bench") },
      json: { type: "string" },
      markdown: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(help);
  const count = positiveNumber("count", values.count);
  const starts = positiveNumber("starts", values.starts);

  const program = stillage.locate();
  if (program === undefined) throw new Error(stillage.hint);
  await using directory = await freshDirectory(values.dir);
  const start = async (): Promise<ServerProcess> => startServer(await stillage.launch(program, directory.path), signal);

  /** Starts the server, looks for the blobs that must be there, and ends it by the signal, again and again. */
  const observe = async (state: string, times: number, blobs: number, by: "SIGTERM" | "SIGKILL"): Promise<State> => {
    const ready: number[] = [];
    const resident: number[] = [];
    for (let time = 0; time < times; time++) {
      await using server = await start();
      ready.push(server.readyMs / 1000);
      resident.push((await server.memory()).resident);
      if (blobs > 0) await checkFilled(server.address, blobs);
      await server.stop(by);
    }
    const figures = { readySeconds: median(ready) ?? Number.NaN, residentBytes: median(resident) ?? Number.NaN };
    console.error(`${state}: ready in ${figures.readySeconds.toFixed(2)} s`);
    return { state, starts: times, ...figures };
  };

  const created = await observe("new folder", 1, 0, "SIGTERM");
  const empty = await observe("empty store", starts, 0, "SIGTERM");
  const filler = await start();
  const seconds = await fill(filler.address, count, signal).finally(() => filler.stop("SIGKILL"));
  console.error(`filled with ${count} blobs in ${seconds.toFixed(0)} s`);
  const full = [
    await observe("full, killed right after the last upload", 1, count, "SIGTERM"),
    await observe("full, stopped", starts, count, "SIGTERM"),
    // One start more, because the first of them follows a stop.
    await observe("full, killed while idle", starts + 1, count, "SIGKILL"),
  ];

  const perBlob = (state: State): number => (state.residentBytes - empty.residentBytes) / count;
  const line = (state: State): string[] => {
    const filled = full.includes(state);
    const verdict = state.readySeconds < targetSeconds ? "pass" : "short";
    return [
      state.state,
      state.readySeconds.toFixed(2) + (filled ? ` (< ${targetSeconds}: ${verdict})` : ""),
      (state.residentBytes / 2 ** 20).toFixed(0),
      filled ? perBlob(state).toFixed(0) : "-",
    ];
  };
  const states = [created, empty, ...full];
  const head = ["store", "ready after s", "resident MiB", "bytes a blob"];
  console.log(`${describeMachine()}; ${program}; ${count} blobs, stored at ${(count / seconds).toFixed(0)} a second\n`);
  console.log(renderTable([head, ...states.map(line)], values.markdown ? "markdown" : "plain"));
  if (values.json !== undefined) {
    const figures = { machine: describeMachine(), count, fillSeconds: seconds, states };
    await writeFile(values.json, `${JSON.stringify(figures, undefined, 1)}\n`);
  }
});
