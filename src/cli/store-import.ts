import { existsSync, statSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { systemClock } from "../base/clock.ts";
import { asStillageError, StillageError } from "../base/errors.ts";
import { openLog } from "../base/log-pino.ts";
import { type OpenCache, openCache } from "../cache/open-cache.ts";
import type { Config } from "../config/config.ts";
import { instanceName } from "../config/instance-name.ts";
import { isProblems, loadConfig, systemFile } from "../config/load.ts";
import { type Problem, showProblem } from "../config/problem.ts";
import { type ImportOptions, importCache } from "../import/importer.ts";
import { recognize } from "../import/old-cache.ts";
import { Outcome } from "../import/outcome.ts";
import { ReplayClock } from "../import/replay-clock.ts";
import { isInUse } from "../store/disk/directory-lock.ts";
import { stampFile } from "../store/disk/format-stamp.ts";
import { MemoryRefStore } from "../store/memory/memory-ref-store.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { showProgress } from "./import-progress.ts";
import { problemLines, reportAsJson, reportAsText } from "./import-report.ts";
import { newCommand } from "./new-command.ts";
import { sentence } from "./sentence.ts";
import { Signals } from "./signals.ts";
import { configText, storeText } from "./store-of.ts";

interface Flags {
  readonly store?: string;
  readonly config?: string;
  readonly quota?: string;
  readonly services?: string;
  readonly instance: string;
  readonly hardLink?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `stillage store import DIR`. */
export function storeImportCommand(end: (status: number) => void): Command {
  const command = newCommand("import", "stillage")
    .description("Take over what the directory of another cache server holds")
    .argument("<DIR>", "The directory that bst-artifact-server, bst-artifact-receive or buildbox-casd was started with")
    .option("--store <DIR>", storeText("it is made where there is none, and no server has it open"))
    .option("--instance <NAME>", "The instance name under which clients are to find it", "")
    .option("--hard-link", "Where large files cannot be cloned, let them be other names of the old ones, not copies")
    .option("--dry-run", "Say what would be taken, and take nothing")
    .option("--json", "Print the result as JSON")
    .option("--quota <SIZE|none>", "The most bytes that blobs may take in the store")
    .addOption(new Option("--services <PART>", "index: take the names alone").choices(["all", "index", "storage"]))
    .option("--config <FILE>", configText);
  addUse(command, {
    notes: [
      "What the server's configuration says of store, quota and services counts here, too; the flags come before it.",
    ],
    examples: [
      { says: "See what there is", run: "stillage store import /srv/artifacts --store /srv/cache --dry-run" },
      {
        says: "Take it over, without copying large files",
        run: "stillage store import /srv/artifacts --store /srv/cache --hard-link",
      },
    ],
    statuses: { done: "everything that is whole was taken", failed: "something is wrong or was not taken" },
    see: "docs/IMPORT.md",
  });
  return command.action(async (directory: string) => {
    const flags = command.opts<Flags>();
    const config = configOf(flags);
    end(config === undefined ? exitStatus.usage : await run(directory, flags, config));
  });
}

/** The server's configuration with what the flags say; problems are printed, and then there is none. */
function configOf({ store, quota, services, config, instance }: Flags): Config | undefined {
  const flag = (name: string, text: string | undefined) =>
    text === undefined ? undefined : { origin: `--${name}`, texts: [text] };
  const given = { store: flag("store", store), quota: flag("quota", quota), services: flag("services", services) };
  const flags = Object.fromEntries(Object.entries(given).filter(([, each]) => each !== undefined));
  const loaded = loadConfig({ flags, file: config, environment: process.env, folder: process.cwd(), systemFile });
  const problems: Problem[] = isProblems(loaded) ? [...loaded] : [];
  instanceName(instance, [], ({ message }) => problems.push({ origin: "--instance", message }));
  for (const problem of problems) say(showProblem(problem));
  return problems.length > 0 || isProblems(loaded) ? undefined : loaded.config;
}

async function run(directory: string, flags: Flags, config: Config): Promise<number> {
  using signals = new Signals();
  const stop = new AbortController();
  void signals.stop.then(() => stop.abort(new StillageError("cancelled", "stopped before the end")));
  const failed = Promise.race([signals.crash, signals.stopAtOnce.then(() => stop.signal.reason)]).then((error) => {
    say(sentence(error));
    // What is under way on the disk is not waited for, and would be if this only returned.
    process.exit(exitStatus.failed);
  });
  const imported = importInto(config, directory, flags, stop.signal).catch((error: unknown) => {
    say(sentence(error));
    return exitStatus.failed;
  });
  // Awaited here, or the signals would be given back at once.
  return await Promise.race([imported, failed]);
}

async function importInto(config: Config, directory: string, flags: Flags, signal: AbortSignal): Promise<number> {
  const { instance, dryRun = false } = flags;
  const old = recognize(directory);
  const clock = new ReplayClock(systemClock);
  await using cache = await openTarget(config, dryRun, clock);
  const outcome = new Outcome(old.layouts, old.names);
  const mayLink = flags.hardLink && ((path: string) => isOnlyOurs(path, config.store));
  const indexOnly = config.services === "index";
  const parts = { ...cache.of(instance), clock, mayLink, outcome, signal };
  const options: ImportOptions = { ...parts, old, instance, dryRun, indexOnly };
  const failure = await report(options, flags);
  if (failure === undefined && !dryRun && !config.instances.includes(instance)) {
    say(`the server has to be told to serve it: --instance ${instance === "" ? '""' : instance}`);
  }
  return failure === undefined && outcome.problemCount === 0 ? exitStatus.done : exitStatus.failed;
}

/** Imports, prints what came of it, and returns what ended it early. */
async function report(options: ImportOptions, { json }: Flags): Promise<string | undefined> {
  const { outcome } = options;
  let failure: string | undefined;
  {
    using _line = showProgress(outcome, process.stderr);
    await importCache(options).catch((error: unknown) => {
      failure = sentence(error);
    });
  }
  for (const line of problemLines(outcome)) say(line);
  if (failure !== undefined) say(`${failure}; what was taken stays, and the same command goes on from there`);
  process.stdout.write(json ? reportAsJson(options, failure) : reportAsText(options));
  return failure;
}

/** Where it goes: the store, or, where nothing is to be made, an empty one in memory. */
async function openTarget(config: Config, dryRun: boolean, clock: ReplayClock) {
  if (dryRun && !existsSync(join(config.store, stampFile))) {
    const blobs = new MemoryStore();
    const target = { blobs, refs: new MemoryRefStore(clock.read), removals: () => 0 };
    return { of: () => target, [Symbol.asyncDispose]: async () => {} };
  }
  const { store, refs, close } = await openStore(config, clock);
  return {
    of: (instance: string) => ({ blobs: store.tenant(instance), refs, removals: () => store.removals() }),
    [Symbol.asyncDispose]: close,
  };
}

async function openStore({ store, quota }: Config, clock: ReplayClock): Promise<OpenCache> {
  const log = openLog({ level: "error", format: "text", fd: 2 });
  try {
    // Whatever the server does: here nobody waits for single blobs, and what is said to be taken is on the disk.
    return await openCache(store, { durability: "on", quota, clock: clock.read, log });
  } catch (error) {
    if (!isInUse(error)) throw error;
    throw new StillageError("failed-precondition", asStillageError(error).message, {
      hint: "stop the server for as long as the import takes",
    });
  }
}

/**
 * Whether the old file may become ours by another name: one that has no third name through which somebody could write to it, and the owner of the
 * store, who is to read it when the server runs.
 */
async function isOnlyOurs(path: string, store: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isFile() === true && stats.nlink === 1 && stats.uid === statSync(store).uid;
}

function say(line: string): void {
  process.stderr.write(`stillage: ${line}\n`);
}
