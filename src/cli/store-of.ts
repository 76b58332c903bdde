import type { Command } from "commander";
import { fileVariable, isProblems, loadConfig, systemFile } from "../config/load.ts";
import { showProblem } from "../config/problem.ts";
import { settings } from "../config/settings.ts";

export interface StoreFlags {
  readonly store?: string;
  readonly config?: string;
}

/** What `--config` means, wherever it is. */
export const configText = `The YAML file to read (${fileVariable}; ${systemFile} where that is there)`;

/** What `--store` means, wherever it is; `note` says who else may have the store open. */
export function storeText(note: string): string {
  return `The store's directory; ${note} (default: what the configuration says; ${settings.store.variable})`;
}

/** Gives a command the flags that say which store is meant. */
export function addStoreFlags(command: Command, note: string): Command {
  return command.option("--store <DIR>", storeText(note)).option("--config <FILE>", configText);
}

/** The store's directory that a flag, the environment or the server's configuration names; problems are printed, and then there is none. */
export function storeOf({ store, config }: StoreFlags): string | undefined {
  const flags = store === undefined ? {} : { store: { origin: "--store", texts: [store] } };
  const loaded = loadConfig({ flags, file: config, environment: process.env, folder: process.cwd(), systemFile });
  if (!isProblems(loaded)) return loaded.config.store;
  for (const problem of loaded) process.stderr.write(`stillage: ${showProblem(problem)}\n`);
  return undefined;
}
