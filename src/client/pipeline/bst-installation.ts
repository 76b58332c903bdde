import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { type ProcessEnd, runInGroup } from "./process-group.ts";

/** The `bst` that is installed, and how it is called. */
export interface BstInstallation {
  /** A path, or a name that is looked for in PATH. */
  readonly program: string;
  /** Of the project, or somewhere below it. */
  readonly directory: string;
  /** For `--config`; `undefined` for where it looks by itself. */
  readonly userConfiguration: string | undefined;
  /** The name of that project, where it is known. */
  readonly projectName: string | undefined;
  /** Project options, for `--option`. */
  readonly options: readonly (readonly [name: string, value: string])[];
}

/** What stands before the name of a command, in every run: nobody is there to be asked, and keys are those of what an element was really built of. */
export function bstWords({ directory, userConfiguration, options }: BstInstallation): string[] {
  return [
    ...["--no-interactive", "--no-colors", "--strict", "--directory", directory],
    ...(userConfiguration === undefined ? [] : ["--config", userConfiguration]),
    ...options.flatMap(([name, value]) => ["--option", name, value]),
  ];
}

/** The last lines of what was said, for a message. */
const toldLines = 20;
const toldBytes = 16 << 10;

/**
 * Runs a command that answers on stdout. It runs where this process does: relative paths in the user's configuration are seen from there. Errors: `failed-precondition` with what it said where it fails; `exhausted` for an answer of more than `maxBytes`; `not-found` where the
 * program is not there; `cancelled`.
 */
export async function askBst(
  bst: BstInstallation,
  words: readonly string[],
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const tooMuch = new AbortController();
  const answer: Buffer[] = [];
  let size = 0;
  let told = "";
  const options = { signal: AbortSignal.any([signal, tooMuch.signal]) };
  const end = await runInGroup(bst.program, [...bstWords(bst), ...words], options, (stream, bytes) => {
    if (stream === "stderr") {
      told = (told + bytes.toString()).slice(-toldBytes);
      return;
    }
    size += bytes.length;
    if (size <= maxBytes) answer.push(bytes);
    else tooMuch.abort(new StillageError("exhausted", `\`bst ${words[0]}\` printed more than ${maxBytes} bytes`));
  });
  signal.throwIfAborted();
  tooMuch.signal.throwIfAborted();
  if (isNoProgram(end)) throw noBst(bst);
  if (end.status !== 0) throw failedBst(words[0] ?? "", told, end);
  return Buffer.concat(answer).toString();
}

/** What `bst --version` says; `undefined` where it says nothing. Errors: `not-found`, `cancelled`. */
export async function bstVersion(bst: BstInstallation, signal: AbortSignal): Promise<string | undefined> {
  let told = "";
  const end = await runInGroup(bst.program, ["--version"], { signal }, (stream, bytes) => {
    if (stream === "stdout") told = (told + bytes.toString()).slice(0, toldBytes);
  });
  signal.throwIfAborted();
  if (isNoProgram(end)) throw noBst(bst);
  return /^[\d.]+\S*/.exec(told)?.[0];
}

/** Where a program is that is called by this name; the name where it is nowhere. */
export function programPath(program: string, path = process.env.PATH ?? ""): string {
  if (program.includes("/")) return program;
  const candidates = path.split(delimiter).map((folder) => join(folder, program));
  return candidates.find(isExecutable) ?? program;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a shell says of a program that is not there, or is none. */
export const isNoProgram = ({ status }: ProcessEnd): boolean => status === 126 || status === 127;

export function noBst({ program }: BstInstallation): StillageError {
  return new StillageError("not-found", `there is no program ${program} that can be run`, {
    hint: "BuildStream has to be installed, and `bst` in PATH or named by --bst",
  });
}

/** The lines, trimmed, of what was said without the lines about activities, where it said anything else. */
export function plainLines(told: string): string[] {
  const lines = told
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const plain = lines.filter((line) => !/^\[(--|\d\d):/.test(line));
  return plain.length > 0 ? plain : lines;
}

function failedBst(command: string, told: string, { status, signal }: ProcessEnd): StillageError {
  const why = plainLines(told).slice(-toldLines).join("; ");
  const how = signal === undefined ? `exited with ${status}` : `was ended by ${signal}`;
  return new StillageError("failed-precondition", `\`bst ${command}\` ${how}${why === "" ? "" : `: ${why}`}`);
}
