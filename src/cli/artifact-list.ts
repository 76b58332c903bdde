import { type Command, InvalidArgumentError, Option } from "commander";
import { listedJson } from "../artifact/artifact-json.ts";
import type { NamedArtifact } from "../artifact/artifact-report.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Place } from "../client/place.ts";
import { knownArtifact } from "../client/reading/known-artifact.ts";
import { type ListedBy, listArtifacts, listOrders } from "../client/reading/list-artifacts.ts";
import { addPlaceOptions, type PlaceFlags, withPlaces } from "./artifact-places.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { humanAge, printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { type Output, standardOutput } from "./output.ts";
import { type Column, textTable } from "./text-table.ts";

interface Options extends PlaceFlags {
  readonly project?: string;
  readonly element?: string;
  readonly key?: string;
  readonly sort: ListedBy["sort"];
  readonly limit?: number;
  readonly json?: true;
}

/** Artifacts that a terminal gets unless it is told otherwise, and those that are written at a time. */
const linesForPeople = 50;
const pageSize = 1000;

/** Digits of a key that tell it from all others, for people. */
export const shortKey = 12;

const columns: readonly Column[] = [
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
    .description("List the artifacts in a place, the newest first where it knows when they came")
    .argument("[PATTERN]", "A part of PROJECT/ELEMENT, in which * and ? are wildcards, or the beginning of a key");
  addPlaceOptions(command, "the local cache")
    .option("--project <GLOB>", "Only this project")
    .option("--element <GLOB>", "Only this element, as it is stored or as the project's file")
    .option("--key <BEGINNING>", "Only artifacts with such a key")
    .addOption(new Option("--sort <ORDER>", "The order").choices(listOrders).default("newest"))
    .option("--limit <N>", `At most so many (default: ${linesForPeople} on a terminal, else all)`, parseLimit)
    .option("--json", "Print a JSON array of what the API's list has")
    .action(async (pattern: string | undefined, options: Options) => {
      end(await withPlaces(options, ({ place, signal }) => list(place, standardOutput(), pattern, options, signal)));
    });
  return addUse(command, {
    notes: [
      "In a pipe: a line for each, with tabs between project, element, keys (with commas, the strong one first), generation, time of the push, who pushed, and the hash of its content. \\ and what a terminal acts on stand as \\\\ and \\xNN.",
    ],
    examples: [
      { says: "What the local cache has", run: "stillage artifact list" },
      {
        says: "What a server has of one project",
        run: "stillage artifact list --in https://cache.example.com --project os",
      },
      { says: "What is in a server's own directory", run: "stillage artifact list --in /srv/cache gcc" },
    ],
    see: "docs/CLIENT.md",
  });
}

async function list(
  { name, index }: Place,
  output: Output,
  pattern: string | undefined,
  options: Options,
  signal: AbortSignal,
): Promise<number> {
  if (index === undefined) throw new StillageError("unsupported", `${name} has blobs, and no names of artifacts`);
  const { project, element, key, sort, json } = options;
  const limit = options.limit ?? (output.forPeople && !json ? linesForPeople : Number.POSITIVE_INFINITY);
  const search = pattern === "" ? undefined : pattern;
  const found = listArtifacts(index, { project, element, key, search, sort }, signal);
  const written = new Written(output, json === true);
  let count = 0;
  let page: NamedArtifact[] = [];
  let more = false;
  for await (const artifact of found) {
    more = count === limit;
    if (more) break;
    page.push(knownArtifact(artifact));
    count += 1;
    if (page.length < pageSize) continue;
    if (!(await written.add(page))) return exitStatus.done;
    page = [];
  }
  if (page.length > 0 && !(await written.add(page))) return exitStatus.done;
  await written.end(more);
  return exitStatus.done;
}

/** What was listed, a page at a time. */
class Written {
  private readonly output: Output;
  private readonly json: boolean;
  private any = false;

  constructor(output: Output, json: boolean) {
    this.output = output;
    this.json = json;
  }

  add(page: readonly NamedArtifact[]): Promise<boolean> {
    const following = this.any;
    this.any = true;
    return this.output.write(this.json ? jsonLines(page, following) : lines(page, this.output, following));
  }

  async end(more: boolean): Promise<void> {
    if (this.json) await this.output.write(this.any ? "\n]\n" : "[]\n");
    else if (this.output.forPeople && more) await this.output.write("… and more: --limit N shows them\n");
    else if (this.output.forPeople && !this.any) await this.output.write("Nothing found\n");
  }
}

function jsonLines(page: readonly NamedArtifact[], following: boolean): string {
  return page.map((item, i) => `${following || i > 0 ? "," : "["}\n${JSON.stringify(listedJson(item))}`).join("");
}

function lines(page: readonly NamedArtifact[], { forPeople, width }: Output, following: boolean): string {
  if (!forPeople) return page.map((item) => `${tabbed(item).map(printable).join("\t")}\n`).join("");
  const now = systemClock();
  const rows = page.map(({ project, element, keys, generation, pushed, by }) => {
    const age = pushed === undefined ? "" : humanAge(pushed, now);
    return [project, element, keys[0]?.slice(0, shortKey) ?? "", generation, age, by ?? ""].map(printable);
  });
  // Few places know when, and by whom.
  const shown = columns.map((_, c) => c < 4 || rows.some((row) => row[c] !== ""));
  const only = <T>(cells: readonly T[]): T[] => cells.filter((_, c) => shown[c]);
  const table = textTable(only(columns), rows.map(only), width);
  return following ? table.slice(table.indexOf("\n") + 1) : table;
}

function tabbed({ project, element, keys, generation, pushed, by, content }: NamedArtifact): string[] {
  const time = pushed === undefined ? "" : new Date(pushed).toISOString();
  return [project, element, keys.join(","), generation, time, by ?? "", content.hash];
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1 on.");
}
