import { isProblems, loadConfig, systemFile } from "../config/load.ts";
import { showProblem } from "../config/problem.ts";

export interface StoreFlags {
  readonly store?: string;
  readonly config?: string;
}

/** The store's directory that a flag, the environment or the server's configuration names; problems are printed, and then there is none. */
export function storeOf({ store, config }: StoreFlags): string | undefined {
  const flags = store === undefined ? {} : { store: { origin: "--store", texts: [store] } };
  const loaded = loadConfig({ flags, file: config, environment: process.env, folder: process.cwd(), systemFile });
  if (!isProblems(loaded)) return loaded.config.store;
  for (const problem of loaded) process.stderr.write(`stillage: ${showProblem(problem)}\n`);
  return undefined;
}
