import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A timed pass as `reapi-load -json` reports it; memory in bytes, `mb_per_s` in 10^6 bytes. */
export interface Pass {
  readonly seconds: number;
  readonly ops_per_s?: number;
  readonly items_per_s?: number;
  readonly mb_per_s?: number;
  readonly p50_us?: number;
  readonly p99_us?: number;
  readonly server_user_s?: number;
  readonly server_sys_s?: number;
  readonly server_rss_peak?: number;
}

/** What one run of `reapi-load` prints. */
export interface LoadReport {
  readonly passes: readonly Pass[] | null;
  /** The pass of median duration. */
  readonly median: Pass;
  readonly error?: string;
}

/** Builds the load generator with Go and returns the program's path. */
export async function buildLoad(checkout: string, into: string, signal: AbortSignal): Promise<string> {
  const source = process.env.REAPI_LOAD_DIR ?? join(checkout, "../shared/bench/reapi-load");
  if (!existsSync(join(source, "go.mod"))) {
    throw new Error(`the source of reapi-load is not in ${source}; name its folder by REAPI_LOAD_DIR`);
  }
  const program = join(into, "reapi-load");
  await run("go", ["build", "-buildvcs=false", "-o", program, "."], { cwd: source, signal });
  return program;
}

/** Runs one workload against a server. A workload that the server fails is a report with `error`, not an exception. */
export async function runLoad(
  program: string,
  server: { readonly address: string; readonly pid: number },
  flags: readonly string[],
  signal: AbortSignal,
): Promise<LoadReport> {
  const args = ["-addr", server.address, "-server-pid", String(server.pid), "-json", ...flags];
  const stdout = await run(program, args, { signal }).then(
    (result) => result.stdout,
    (cause: { stdout?: string }) => {
      signal.throwIfAborted();
      // With a failed workload it exits with a status other than 0 but still prints its report.
      if (cause.stdout) return cause.stdout;
      throw new Error("reapi-load did not run", { cause });
    },
  );
  return JSON.parse(stdout) as LoadReport;
}
