import { type Command, InvalidArgumentError, Option } from "commander";
import { listedJson } from "../artifact/artifact-json.ts";
import type { Catalogue, ListQuery } from "../artifact/catalogue.ts";
import { systemClock } from "../base/clock.ts";
import type { ListedArtifact } from "../store/artifact-refs.ts";
import { addStoreOptions, type StoreOptions, withCatalogue } from "./artifact-store.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { humanAge, printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import type { Output } from "./output.ts";
import { textTable } from "./text-table.ts";

interface Options extends StoreOptions {
  readonly project?: string;
  readonly element?: string;
  readonly key?: string;
  readonly sort: ListQuery["sort"];
  readonly limit?: number;
  readonly json?: boolean;
}

/** A page of the catalogue; artifacts that a terminal gets unless it is told otherwise. */
const pageSize = 1000;
const linesForPeople = 50;

/** Digits of a key that tell it from all others, for people. */
export const shortKey = 12;

const columns = [
  { title: "PROJECT", flexible: true },
  { title: "ELEMENT", flexible: true },
  { title: "KEY" },
  { title: "BST" },
  { title: "PUSHED" },
  { title: "BY", flexible: true },
];

/** `stillage artifact list [PATTERN]`. */
export function artifactListCommand(end: (status: number) => void): Command {
  const command = newCommand("list", "stillage")
    .description("List the artifacts in a store, the newest first")
    .argument("[PATTERN]", "A part of PROJECT/ELEMENT, in which * and ? are wildcards, or the beginning of a key");
  addUse(command, {
    notes: [
      "In a pipe: a line for each, with tabs between project, element, keys (with commas, the strong one first), generation, time of the push, who pushed, and the hash of its content. \\ and what a terminal acts on stand as \\\\ and \\xNN.",
    ],
    examples: [
      { says: "What was pushed last of one project", run: "stillage artifact list --store /srv/cache --project os" },
    ],
  });
  return addStoreOptions(command)
    .option("--project <GLOB>", "Only this project")
    .option("--element <GLOB>", "Only this element, as it is stored or as the project's file")
    .option("--key <BEGINNING>", "Only artifacts with such a key")
    .addOption(new Option("--sort <ORDER>", "The order").choices(["newest", "oldest", "name"]).default("newest"))
    .option("--limit <N>", `At most so many (default: ${linesForPeople} on a terminal, else all)`, parseLimit)
    .option("--json", "Print a JSON array of what the API's list has")
    .action(async (pattern: string | undefined, options: Options) => {
      end(await withCatalogue(options, (catalogue, output) => list(catalogue, output, pattern, options)));
    });
}

async function list(
  catalogue: Catalogue,
  output: Output,
  pattern: string | undefined,
  options: Options,
): Promise<number> {
  const { project, element, key, sort, json } = options;
  const limit = options.limit ?? (output.forPeople && !json ? linesForPeople : Number.POSITIVE_INFINITY);
  const query = { project, element, key, search: pattern === "" ? undefined : pattern, sort };
  let cursor: string | undefined;
  let count = 0;
  if (json) await output.write("[");
  do {
    const page = await catalogue.list({ ...query, limit: Math.min(pageSize, limit - count), cursor });
    const text = json ? jsonLines(page.items, count > 0) : lines(page.items, output, count > 0);
    count += page.items.length;
    cursor = page.next;
    if (text !== "" && !(await output.write(text))) break;
  } while (cursor !== undefined && count < limit);
  if (json) await output.write(count === 0 ? "]\n" : "\n]\n");
  else if (output.forPeople && cursor !== undefined) await output.write(`… and more: --limit N shows them\n`);
  else if (output.forPeople && count === 0) await output.write("Nothing found\n");
  return exitStatus.done;
}

function jsonLines(items: readonly ListedArtifact[], following: boolean): string {
  return items.map((item, i) => `${following || i > 0 ? "," : ""}\n${JSON.stringify(listedJson(item))}`).join("");
}

function lines(items: readonly ListedArtifact[], { forPeople, width }: Output, following: boolean): string {
  if (!forPeople) return items.map((item) => `${tabbed(item).map(printable).join("\t")}\n`).join("");
  if (items.length === 0) return "";
  const now = systemClock();
  const rows = items.map(({ project, element, keys, generation, pushed, by }) =>
    [project, element, keys[0]?.slice(0, shortKey) ?? "", generation, humanAge(pushed, now), by ?? ""].map(printable),
  );
  const table = textTable(columns, rows, width);
  return following ? table.slice(table.indexOf("\n") + 1) : table;
}

function tabbed({ project, element, keys, generation, pushed, by, content }: ListedArtifact): string[] {
  return [project, element, keys.join(","), generation, new Date(pushed).toISOString(), by ?? "", content.hash];
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1 on.");
}
