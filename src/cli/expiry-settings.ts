import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import type { ExpirySettings } from "../expiry/limits.ts";
import { type Room, roomOf } from "../expiry/room.ts";
import { addSettings, loadSettings } from "./setting-options.ts";
import { storeText } from "./store-of.ts";

/** What a command about expiry is told, by its flags and the server's configuration. */
export interface ExpiryConfig {
  readonly store: string;
  readonly room: Room | undefined;
  readonly settings: ExpirySettings;
  readonly config: Config;
}

const keys: readonly (keyof Config)[] = ["quota", "highMark", "lowMark", "leaseMs", "maxAgeMs", "limits"];

/** Gives a command the flags that say which store is meant, and what goes from it. `note` as in `storeText`. */
export function addExpirySettings(command: Command, note: string): Command {
  return addSettings(command.option("--store <DIR>", storeText(note)), keys);
}

/** What they set; problems are printed, and then there is nothing. */
export function loadExpirySettings(command: Command): ExpiryConfig | undefined {
  const config = loadSettings(command)?.config;
  if (config === undefined) return undefined;
  const { store, quota, highMark, lowMark, leaseMs, maxAgeMs, limits } = config;
  const settings = { lease: leaseMs, maxAge: maxAgeMs, limits };
  return { store, room: roomOf(quota, highMark, lowMark), settings, config };
}
