import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../base/clock.ts";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import type { ClientConfiguration } from "../client/configuration/client-configuration.ts";
import { openReachability, unreachablePath } from "../client/connection/reachability.ts";
import { bstForBuilds } from "../client/library/bst-elements.ts";
import { type DependencyKind, dependencyKinds } from "../client/pipeline/bst-graph.ts";
import { type BuildRequest, type BuildSummary, buildElements, realTime } from "../client/pipeline/build-elements.ts";
import { ChromeTrace } from "../client/pipeline/chrome-trace.ts";
import type { OnError } from "../client/pipeline/pipeline.ts";
import { eventJson, noteJson, planJson, summaryJson } from "./build-json.ts";
import { BuildLines } from "./build-lines.ts";
import { BuildSignals } from "./build-signals.ts";
import { buildSummaryText, isWhole } from "./build-summary.ts";
import { BuildView } from "./build-view.ts";
import { addClientOptions, bstOf, type ClientFlags, clientConfiguration } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { standardOutput } from "./output.ts";
import { reportFailure } from "./report-failure.ts";

interface BuildFlags extends ClientFlags {
  readonly deps?: DependencyKind;
  readonly fetchers?: number;
  readonly builders?: number;
  readonly pushers?: number;
  readonly networkRetries?: number;
  readonly onError?: OnError;
  readonly push: boolean;
  readonly retryFailed?: true;
  readonly trace?: string;
  readonly json?: true;
  readonly bst: string;
}

/** Notes that are printed: a server that fails for each of a thousand elements says so often enough. */
const maxNotes = 50;

/** `stillage build`. */
export function buildCommand(end: (status: number) => void): Command {
  const command = newCommand("build", "stillage")
    .description("Build elements with the installed BuildStream, pulling first and pushing beside the builds")
    .argument("[ELEMENT...]", "What to build (default: what the project builds by default)")
    .addOption(
      new Option(
        "-d, --deps <WHICH>",
        "Which dependencies have to be there as well (default: as configured, or run)",
      ).choices(dependencyKinds),
    )
    .option("--fetchers <COUNT>", "Elements pulled at a time, and as many whose sources are fetched", atLeast(1))
    .option("--builders <COUNT>", "Elements built at a time", atLeast(1))
    .option("--pushers <COUNT>", "Elements pushed at a time", atLeast(1))
    .option("--network-retries <COUNT>", "Tries after the first one, of pulls, fetches and pushes", atLeast(0))
    .addOption(
      new Option(
        "--on-error <ACTION>",
        "After a failed build: begin nothing but pushes, go on with what does not need it, or end all that runs",
      ).choices(["quit", "continue", "terminate"]),
    )
    .option("--no-push", "Push nothing")
    .option("--retry-failed", "Build again what has failed before")
    .option("--trace <FILE>", "Write the run as a trace, for chrome://tracing or Perfetto")
    .option("--json", "Print events, a line of JSON each")
    .option("--bst <PROGRAM>", "The BuildStream to build with", "bst");
  return addUse(addClientOptions(command), {
    notes: [
      "Elements are pulled where any remote has them, built as soon as all is there that they need, and pushed behind that, each in a queue of its own. Sources of what is built are fetched ahead.",
      "Widths, retries and what to do on an error are those of BuildStream's user configuration where no flag says them.",
    ],
    examples: [
      { says: "An element and what it needs at run time, pulled or built, and pushed", run: "stillage build app.bst" },
      {
        says: "All that it depends on, and where the time went",
        run: "stillage build --deps all --trace run.json app.bst",
      },
      {
        says: "As much as possible, for this machine alone",
        run: "stillage build --no-push --on-error continue app.bst lib.bst",
      },
      { says: "What the project builds by default", run: "stillage build" },
    ],
    statuses: {
      done: "all that was asked for is there, and pushed where anything is",
      failed: "something failed, or it was interrupted",
    },
    see: "docs/BUILDING.md",
  }).action(async (targets: string[], flags: BuildFlags) => {
    const configuration = clientConfiguration(flags);
    if (configuration === undefined) return end(exitStatus.usage);
    end(await run(targets, flags, configuration).catch(reportFailure));
  });
}

async function run(targets: string[], flags: BuildFlags, configuration: ClientConfiguration): Promise<number> {
  const output = standardOutput();
  const lines = new BuildLines(output.forPeople);
  await using trace = flags.trace === undefined ? undefined : await TraceFile.create(flags.trace);
  using resources = new DisposableStack();
  const terminal = output.forPeople && !flags.json ? process.stdout : undefined;
  const view = terminal && resources.use(new BuildView(terminal, lines.tally, realTime.now));
  // Builds do not wait for whoever reads, nor do they end where nothing can be written any more: the summary, which is written last, fails then.
  const print = (text: string): void => {
    if (view !== undefined) view.print(text);
    else void output.write(text).catch(() => {});
  };
  const notes = new Set<string>();
  const note = (text: string): void => {
    if (notes.has(text) || notes.size >= maxNotes) return;
    notes.add(text);
    tellNote(text);
  };
  const tellNote = (text: string): void => {
    if (flags.json) print(noteJson(text));
    else if (view !== undefined) view.print(`note: ${printable(text)}\n`);
    else process.stderr.write(`stillage: note: ${printable(text)}\n`);
  };
  view?.prepares("loading the project");
  const signals = resources.use(new BuildSignals(tellNote));
  const began = realTime.now();
  const summary = await buildElements({
    ...requestOf(targets, flags, configuration),
    ...{ stop: signals.stop, abort: signals.abort, note },
    begins: (plan) => {
      view?.begins();
      if (flags.json) print(planJson(plan));
    },
    events: (event) => {
      trace?.trace.take(event);
      const line = lines.take(event);
      if (flags.json) print(eventJson(event, began));
      else if (line !== undefined) print(line);
    },
  });
  resources.dispose();
  return await tell(summary, lines, flags, output.write);
}

async function tell(
  summary: BuildSummary,
  { tally }: BuildLines,
  { json }: BuildFlags,
  write: (text: string) => Promise<boolean>,
): Promise<number> {
  const whole = isWhole(summary);
  await write(json ? summaryJson(summary, tally, whole) : await buildSummaryText(summary, tally));
  return whole ? exitStatus.done : exitStatus.failed;
}

type Asked = Omit<BuildRequest, "stop" | "abort" | "note" | "begins" | "events">;

function requestOf(targets: string[], flags: BuildFlags, configuration: ClientConfiguration): Asked {
  const { fetchers, builders, pushers, networkRetries, onError } = configuration;
  // What is a path is seen from here, and not from the project.
  const program = flags.bst.includes("/") ? resolve(flags.bst) : flags.bst;
  return {
    bst: bstForBuilds(configuration, { ...bstOf(flags), program }, process.env),
    ...{ configuration, targets, deps: flags.deps, push: flags.push, retryFailed: flags.retryFailed },
    reachability: openReachability(unreachablePath(process.env), systemClock),
    widths: {
      pull: flags.fetchers ?? fetchers,
      fetch: flags.fetchers ?? fetchers,
      build: flags.builders ?? builders,
      push: flags.pushers ?? pushers,
    },
    retries: flags.networkRetries ?? networkRetries,
    onError: flags.onError ?? onError,
  };
}

/** The file of a trace, closed where the run ends, however it does. What keeps it from being written keeps nothing else. */
class TraceFile implements AsyncDisposable {
  readonly trace: ChromeTrace;
  private readonly file: WriteStream;
  private readonly closed: Promise<unknown>;

  private constructor(file: WriteStream, path: string) {
    this.file = file;
    this.closed = new Promise((resolve) => file.once("close", resolve));
    file.on("error", (error) => reportFailure(fromFileSystem(error, `writing ${path}`)));
    this.trace = new ChromeTrace((text) => file.write(text));
  }

  static async create(path: string): Promise<TraceFile> {
    const file = createWriteStream(path);
    try {
      await once(file, "open");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new StillageError("failed-precondition", `the trace ${path} cannot be written: ${code}`);
    }
    return new TraceFile(file, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.trace.close();
    this.file.end();
    await this.closed;
  }
}

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!/^\d{1,6}$/.test(text) || count < least)
      throw new InvalidArgumentError(`It is not a number from ${least} on.`);
    return count;
  };
}
