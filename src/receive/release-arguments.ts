import { parseArgs } from "node:util";
import { StillageError } from "../base/errors.ts";

/** A command `stillage release …` that somebody asks for over ssh, of which everything is known to be his to say. */
export interface ReleaseAsked {
  readonly command: string;
  /** As he names it; `undefined` where he leaves it to there being only one. */
  readonly repository: string | undefined;
  /** Those that the command would change; none where it only reads. */
  readonly branches: readonly string[];
  /** The instance of the store that it reads from. */
  readonly instance: string | undefined;
  readonly readsStore: boolean;
  /** All but the repository's name and the command's, for the command to read. */
  readonly args: readonly string[];
}

interface Allowed {
  /** How many arguments there may be beside options. */
  readonly words: readonly [least: number, most: number];
  readonly flags: readonly string[];
  readonly values: readonly string[];
  readonly lists?: readonly string[];
  /** What it changes: the branches of `--branch`, or that of its first argument. */
  readonly changes?: "--branch" | "argument";
  readonly readsStore?: true;
}

/** What is not here would read or write files of the server, or make what nobody has a right to. */
const commands: Readonly<Record<string, Allowed>> = {
  create: {
    words: [1, 1],
    flags: ["force", "dry-run"],
    values: ["version", "project", "instance", "title", "subject", "body", "timestamp"],
    lists: ["branch", "metadata"],
    changes: "--branch",
    readsStore: true,
  },
  list: { words: [0, 0], flags: ["current"], values: ["branch"] },
  show: { words: [1, 1], flags: [], values: [] },
  rollback: {
    words: [1, 1],
    flags: [],
    values: ["to", "subject", "body", "timestamp"],
    changes: "argument",
  },
  "end-of-life": {
    words: [1, 1],
    flags: [],
    values: ["message", "rebase", "subject", "body", "timestamp"],
    changes: "argument",
  },
};

/** Reads what follows `stillage release`. Errors: `invalid`. */
export function releaseAsked([name = "", ...given]: readonly string[]): ReleaseAsked {
  const allowed = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (allowed === undefined) {
    throw new StillageError(
      "invalid",
      `stillage release ${JSON.stringify(name.slice(0, 100))} is not to be had over ssh`,
      {
        hint: `what there is: ${Object.keys(commands).join(", ")}`,
      },
    );
  }
  const { values, positionals } = parsed(name, allowed, given);
  const texts = (key: string): string[] => [values[key] ?? []].flat().map(String);
  const args = Object.keys(values)
    .filter((key) => key !== "repository")
    .flatMap((key) => (values[key] === true ? [`--${key}`] : texts(key).map((text) => `--${key}=${text}`)));
  return {
    command: name,
    repository: texts("repository")[0],
    branches: allowed.changes === "--branch" ? texts("branch") : allowed.changes === "argument" ? positionals : [],
    instance: texts("instance")[0],
    readsStore: allowed.readsStore === true,
    args: [...args, "--", ...positionals],
  };
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

function parsed(name: string, allowed: Allowed, given: readonly string[]): { values: Values; positionals: string[] } {
  const { words, flags, values, lists = [] } = allowed;
  const options = Object.fromEntries([
    ...[...flags, "json"].map((key) => [key, { type: "boolean" }] as const),
    ...[...values, "repository"].map((key) => [key, { type: "string" }] as const),
    ...lists.map((key) => [key, { type: "string", multiple: true }] as const),
  ]);
  try {
    const read = parseArgs({ args: [...given], options, allowPositionals: true, strict: true });
    const count = read.positionals.length;
    if (count < words[0] || count > words[1]) throw new Error(`it takes ${words[1]} arguments, and ${count} are there`);
    return read;
  } catch (error) {
    const why = (error as Error).message.split(". ")[0] ?? "";
    throw new StillageError("invalid", `stillage release ${name}, over ssh: ${why}`);
  }
}
