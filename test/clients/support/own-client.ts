import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { programFile } from "../../support/program-file.ts";
import type { BstClient } from "./bst.ts";
import { clientsFolder } from "./checkout.ts";
import { type ProgramResult, runProgram } from "./program.ts";

/** What became of an artifact, as `--json` tells it. */
export interface ToldArtifact {
  readonly event: "artifact";
  readonly name: string;
  readonly result: string;
  readonly place?: string;
  readonly blobs: number;
  readonly bytes: number;
  readonly notes: readonly string[];
}

/** What a run of ours said. */
export interface ToldResult extends ProgramResult {
  readonly artifacts: readonly ToldArtifact[];
}

/** Our own program as a client, with a home of its own and BuildStream in PATH. */
export interface OwnClient {
  /** Runs `stillage WORDS… --json`, whatever comes out. */
  run(...words: string[]): Promise<ToldResult>;
  /** The same, and throws with what it said where it fails. */
  ok(...words: string[]): Promise<ToldResult>;
  /** Runs it as somebody in a pipe has it, whatever comes out. */
  plain(...words: string[]): Promise<ProgramResult>;
  /** Begins it and leaves it running. */
  start(...words: string[]): ChildProcess;
}

const program = programFile("stillage");

/** A client whose state and configuration are in the folder `home`, in the project's folder `directory`. */
export function ownClient(home: string, directory: string, bstVersion = "2.8.1"): OwnClient {
  const env = {
    PATH: `${join(clientsFolder, `bst-${bstVersion}/bin`)}:${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: home,
    LANG: "C.UTF-8",
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
    XDG_CACHE_HOME: join(home, "cache"),
  };
  const run = async (...words: string[]): Promise<ToldResult> => {
    const result = await runProgram(process.execPath, [program, ...words, "--json"], { cwd: directory, env });
    const events = result.stdout.split("\n").filter((line) => line.startsWith("{"));
    const artifacts = events.map((line) => JSON.parse(line)).filter(({ event }) => event === "artifact");
    return { ...result, artifacts };
  };
  return {
    run,
    async ok(...words) {
      const result = await run(...words);
      if (result.status === 0) return result;
      throw new Error(`stillage ${words.join(" ")} exited with ${result.status}\n${result.stdout}\n${result.stderr}`);
    },
    plain: (...words) => runProgram(process.execPath, [program, ...words], { cwd: directory, env }),
    start: (...words) => spawn(process.execPath, [program, ...words], { cwd: directory, env, stdio: "pipe" }),
  };
}

/** What names a machine's cache and a server, on a command line. */
export function cacheAt({ cache }: BstClient, ...addresses: string[]): string[] {
  return ["--cache", cache, ...addresses.flatMap((address) => ["--remote", `http://${address}`])];
}

/** How a program that was started ends, with what it said on standard error. */
export async function endOf(
  child: ChildProcess,
): Promise<{ status: number | null; signal: string | null; said: string }> {
  let said = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  child.stdout?.resume();
  const [status, signal] = (await once(child, "close")) as [number | null, string | null];
  return { status, signal, said };
}
