import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { LogFile } from "../artifact/artifact-content.ts";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { makeFolderSync } from "../base/make-folder.ts";
import { shownArtifact } from "../client/meant-artifacts.ts";
import { logPieces } from "../client/reading/log-pieces.ts";
import type { OpenArtifact } from "../client/reading/open-artifact.ts";
import { namedArtifacts } from "./artifact-names.ts";
import { type PlaceFlags, type ReadingPlaces, withPlaces } from "./artifact-places.ts";
import { FileNames } from "./file-names.ts";
import { printable } from "./human-text.ts";
import { writerOf } from "./output.ts";
import { readingCommand, withEach } from "./reading-command.ts";
import { terminalText } from "./terminal-text.ts";

interface Options extends PlaceFlags {
  readonly name?: string;
  readonly out?: string;
}

/** `stillage artifact log NAME…`. */
export function artifactLogCommand(end: (status: number) => void): Command {
  return readingCommand("log", "Print the logs of artifacts, or write them to files", "<NAME...>", {
    notes: [
      "In a pipe, and in files, logs are as they were written. On a terminal, what would act on it stands as \\xNN, but for colours. Of several logs each has a line with its name before it.",
    ],
    examples: [
      { says: "How an artifact was built", run: "stillage artifact log os/image/4f6e0c | less" },
      {
        says: "All logs of an element, in a directory for each artifact",
        run: "stillage artifact log 'os/image' --out logs",
      },
    ],
  })
    .option("--name <LOG>", "Only the log of this name")
    .option("--out <DIR>", "Write to this directory, which is made: PROJECT-ELEMENT-KEY/NAME")
    .action(async (names: string[], options: Options) => {
      end(await withPlaces(options, (places) => logs(places, names, options)));
    });
}

interface FoundLog {
  readonly open: OpenArtifact;
  readonly log: LogFile;
}

async function logs(places: ReadingPlaces, names: readonly string[], { name, out }: Options): Promise<number> {
  const found: FoundLog[] = [];
  const artifacts = await namedArtifacts(places, names);
  const status = await withEach(artifacts, places.signal, async (open) => {
    found.push(...(await logsOf(open, name)));
  });
  if (out !== undefined) {
    if (found.length > 0) await writeLogs(found, out, places.signal);
    return status;
  }
  const write = writerOf(process.stdout);
  for (const each of found) {
    if (found.length > 1 && !(await write(`==> ${printable(titleOf(each))} <==\n`))) break;
    if (!(await printLog(each, write, places.signal))) break;
  }
  return status;
}

/** Errors: `not-found` for an artifact that has none, or none of that name. */
async function logsOf(open: OpenArtifact, name: string | undefined): Promise<FoundLog[]> {
  const { logs, problems } = await open.content();
  const meant = logs.filter((log) => name === undefined || log.name === name);
  if (meant.length > 0) return meant.map((log) => ({ open, log }));
  const which = name === undefined ? "log" : `log ${JSON.stringify(name)}`;
  const others = logs.slice(0, 10).map((log) => log.name);
  throw new StillageError("not-found", `${shownArtifact(open.artifact)} has no ${which}`, {
    hint: others.length > 0 ? `it has ${others.join(", ")}` : (problems[0] ?? "it has none"),
  });
}

async function printLog(found: FoundLog, write: ReturnType<typeof writerOf>, signal: AbortSignal): Promise<boolean> {
  const shown = process.stdout.isTTY ? terminalText() : undefined;
  for await (const piece of logPieces(found.open, found.log, signal)) {
    if (!(await write(shown === undefined ? piece : shown.add(piece)))) return false;
  }
  return shown === undefined || write(shown.end());
}

/** Names come from outside. What is cut off leaves the directory with whole logs alone. */
async function writeLogs(found: readonly FoundLog[], out: string, signal: AbortSignal): Promise<void> {
  try {
    mkdirSync(out);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fromFileSystem(error, `making ${out}`);
    throw new StillageError("exists", `${out} is there already`, { hint: "name a directory that is not there" });
  }
  const directories = new FileNames();
  const known = new Map<OpenArtifact, { readonly directory: string; readonly names: FileNames }>();
  for (const each of found) {
    const { project, element, keys } = each.open.artifact;
    const { directory, names } = known.get(each.open) ?? {
      directory: join(out, directories.take(`${project}-${element}`, `-${keys[0] ?? ""}`)),
      names: new FileNames(),
    };
    known.set(each.open, { directory, names });
    const path = join(directory, names.take(each.log.name));
    try {
      makeFolderSync(directory);
      await writeNew(path, logPieces(each.open, each.log, signal));
    } catch (error) {
      throw fromFileSystem(error, `writing ${path}`);
    }
  }
}

async function writeNew(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
  let whole = false;
  try {
    for await (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    whole = true;
  } finally {
    closeSync(file);
    if (!whole) rmSync(path, { force: true });
  }
}

function titleOf({ open, log }: FoundLog): string {
  return `${shownArtifact(open.artifact)} ${log.name}`;
}
