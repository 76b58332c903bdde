import { spawn } from "node:child_process";
import { once } from "node:events";

export interface ProgramOptions {
  readonly cwd?: string;
  /** Replaces the environment; ours goes on to the program where it is left out. */
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  /** Written to the program's standard input. */
  readonly input?: string;
}

export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Twenty times what the slowest command of these suites takes on two cores. */
const defaultTimeoutMs = 120_000;

/** Runs a program to its end, whatever its exit status. Rejects only when it cannot be started or overruns its time. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    timeout: options.timeoutMs ?? defaultTimeoutMs,
    stdio: "pipe",
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => stdout.push(piece));
  child.stderr.on("data", (piece: Buffer) => stderr.push(piece));
  // A program that does not read its input is no failure.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [status, signal] = (await once(child, "close")) as [number | null, string | null];
  const result = { status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
  if (signal !== null) throw new Error(`${commandLine(program, args)} was ended by ${signal}\n${describe(result)}`);
  return result;
}

/** Runs a program that has to succeed and gives its standard output. */
export async function runOk(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const result = await runProgram(program, args, options);
  if (result.status !== 0) {
    throw new Error(`${commandLine(program, args)} exited with ${result.status}\n${describe(result)}`);
  }
  return result.stdout;
}

function commandLine(program: string, args: readonly string[]): string {
  return [program, ...args].join(" ");
}

function describe(result: ProgramResult): string {
  return `${result.stdout}\n${result.stderr}`.trim();
}
