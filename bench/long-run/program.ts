import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { checkout } from "../servers.ts";

const run = promisify(execFile);
const maxOutput = 64 << 20;

/** What a command printed; one that fails with a status of `status` is no error. */
export interface Printed {
  readonly status: number;
  readonly output: string;
}

/** Runs a command of the program that is measured. Errors: what it printed, where its status is neither 0 nor 1. */
export type Program = (...words: readonly string[]) => Promise<Printed>;

/** The program as it is served from: the bundle, or else the source. */
export function programAt(path: string): Program {
  const [command, ...before] = path.endsWith(".ts") ? [process.execPath, path] : [path];
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}` };
  return async (...words) => {
    try {
      const options = { cwd: checkout, env, maxBuffer: maxOutput };
      const { stdout } = await run(command as string, [...before, ...words], options);
      return { status: 0, output: stdout };
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
      if (code === 1 && stdout !== undefined && stdout !== "") return { status: 1, output: stdout };
      throw new Error(`${join(path)} ${words.join(" ")}: ${stderr ?? ""}`, { cause: error });
    }
  };
}
