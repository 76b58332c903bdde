import { StillageError } from "../../base/errors.ts";

/** What counts for us in the file `config` of a repository. */
export interface RepositoryConfig {
  /** The level of deflate for content that gains by it. */
  readonly zlibLevel: number;
  readonly collectionId: string | undefined;
  /** Whether a commit that is pruned leaves a mark that it was there. */
  readonly tombstoneCommits: boolean;
  /** How long to wait for another writer. */
  readonly lockTimeoutMs: number;
}

/** As `ostree init --mode=archive` writes it: the mode has kept the name that it had first. */
export const newConfig = "[core]\nrepo_version=1\nmode=archive-z2\n";

/** Text takes 1 % more bytes than at zlib's 6, and two thirds of the time; at 4 it would take 4 % more. */
const usualLevel = 5;

/** Bytes; real ones have some hundred. */
export const maxConfigBytes = 64 * 1024;

const modes = ["archive-z2", "archive"];

/**
 * Reads a repository's `config`, a key file of GLib: groups in brackets, `key=value`, lines with `#`. Groups and keys that do not
 * concern an archive are passed over. Errors: `unsupported` for other kinds of repository, `invalid` for what cannot be read.
 */
export function parseRepositoryConfig(text: string): RepositoryConfig {
  const values = coreValues(text);
  const version = values.get("repo_version");
  if (version !== "1") throw new StillageError("unsupported", `its repo_version is ${shown(version)}, and 1 is known`);
  const mode = values.get("mode");
  if (mode === undefined || !modes.includes(mode)) {
    throw new StillageError("unsupported", `its mode is ${shown(mode ?? "bare")}`, {
      hint: "a repository that is served or published is made with `ostree init --mode=archive`",
    });
  }
  return {
    zlibLevel: numberIn(archiveValues(text), "zlib-level", usualLevel, 1, 9),
    collectionId: values.get("collection-id"),
    tombstoneCommits: flagIn(values, "tombstone-commits"),
    lockTimeoutMs: 1000 * numberIn(values, "lock-timeout-secs", 30, -1, 1_000_000),
  };
}

const coreValues = (text: string) => group(text, "core");
const archiveValues = (text: string) => group(text, "archive");

/** The keys and values of one group. Errors: `invalid`. */
function group(text: string, wanted: string): Map<string, string> {
  const values = new Map<string, string>();
  let current = "";
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, name] = /^\[(.+)\]$/.exec(line) ?? [];
    const [, key = "", value = ""] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined) current = name;
    else if (key === "" || current === "") throw new StillageError("invalid", `line ${index + 1} cannot be read`);
    else if (current === wanted) values.set(key, value);
  }
  return values;
}

function flagIn(values: ReadonlyMap<string, string>, key: string): boolean {
  const value = values.get(key) ?? "false";
  if (!["true", "false", "1", "0"].includes(value))
    throw new StillageError("invalid", `${key} is ${shown(value)}, not true or false`);
  return value === "true" || value === "1";
}

function numberIn(
  values: ReadonlyMap<string, string>,
  key: string,
  usual: number,
  least: number,
  most: number,
): number {
  const value = values.get(key);
  if (value === undefined) return usual;
  const number = Number(value);
  if (/^-?\d+$/.test(value) && number >= least && number <= most) return number;
  throw new StillageError("invalid", `${key} is ${shown(value)}, not a number from ${least} to ${most}`);
}

const shown = (value: string | undefined): string => (value === undefined ? "not there" : value.slice(0, 100));
