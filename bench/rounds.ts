import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freshDirectory } from "./fresh-directory.ts";
import { runLoad } from "./load.ts";
import type { Row } from "./rows.ts";
import type { Sample } from "./samples.ts";
import { startServer } from "./server-process.ts";
import type { Server } from "./servers.ts";

const run = promisify(execFile);

/** A server and where its program is. */
export interface Contender {
  readonly server: Server;
  readonly program: string;
}

export interface Plan {
  readonly rows: readonly Row[];
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  /** Timed passes of a run. */
  readonly passes: number;
  /** The program of `reapi-load`. */
  readonly load: string;
  /** Under this folder each server gets a fresh one. */
  readonly base: string;
}

/**
 * Yields a sample for each row, round and server. The servers take turns within a row, in reversed order in every second
 * round, and each starts anew in an empty directory.
 */
export async function* measure(plan: Plan, signal: AbortSignal): AsyncGenerator<[Row, Sample]> {
  for (let round = 1; round <= plan.rounds; round++) {
    const order = round % 2 === 0 ? plan.contenders.toReversed() : plan.contenders;
    for (const row of plan.rows) {
      for (const contender of order) {
        const at = { row: row.id, server: contender.server.name, round };
        yield [row, { ...at, ...(await attempt(plan, row, contender, signal)) }];
      }
    }
  }
}

type Outcome = Omit<Sample, "row" | "server" | "round">;

async function attempt(plan: Plan, row: Row, contender: Contender, signal: AbortSignal): Promise<Outcome> {
  try {
    return await once(plan, row, contender, signal);
  } catch (cause) {
    signal.throwIfAborted();
    return { error: (cause as Error).message };
  } finally {
    // What one server left to be written is not to slow down the next.
    await run("sync", ["-f", plan.base]);
  }
}

async function once(plan: Plan, row: Row, { server, program }: Contender, signal: AbortSignal): Promise<Outcome> {
  await using directory = await freshDirectory(plan.base);
  await using running = await startServer(await server.launch(program, directory.path), signal);
  const result = await runLoad(plan.load, running, [...row.flags, "-repeat", String(plan.passes)], signal);
  if (result.error !== undefined) return { error: result.error.replaceAll("\n", " ") };
  const { median, passes } = result;
  const { peak } = await running.memory();
  return {
    value: row.metric.of(median),
    cpuSeconds: (median.server_user_s ?? 0) + (median.server_sys_s ?? 0),
    // The load counts child processes too, but only during the passes.
    peakBytes: Math.max(peak, ...(passes ?? []).map((pass) => pass.server_rss_peak ?? 0)),
    ...(median.p50_us === undefined ? {} : { p50us: median.p50_us }),
    ...(median.p99_us === undefined ? {} : { p99us: median.p99_us }),
  };
}
