import { type Command, Option } from "commander";
import { type TreeName, treeNames } from "../artifact/artifact-content.ts";
import { entryJson } from "../artifact/artifact-json.ts";
import type { Entry } from "../artifact/directory-entries.ts";
import { shownArtifact } from "../client/meant-artifacts.ts";
import { treeOf } from "../client/reading/open-artifact.ts";
import { treeEntry } from "../client/reading/tree-entries.ts";
import { type PathEntry, treePaths } from "../client/reading/tree-paths.ts";
import { namedArtifacts } from "./artifact-names.ts";
import {
  addPlaceOptions,
  localAndRemotes,
  type PlaceFlags,
  type ReadingPlaces,
  withPlaces,
} from "./artifact-places.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { nameText } from "./name-texts.ts";
import { newCommand } from "./new-command.ts";
import { type Output, standardOutput } from "./output.ts";
import { reportFailure } from "./report-failure.ts";

interface Options extends PlaceFlags {
  readonly long?: true;
  readonly json?: true;
  readonly tree: TreeName;
}

/** Lines that are written at a time. */
const pageSize = 1000;

/** `stillage artifact list-contents NAME…`. */
export function artifactListContentsCommand(end: (status: number) => void): Command {
  const command = newCommand("list-contents", "stillage")
    .description("List the files of artifacts")
    .argument("<NAME...>", nameText);
  addUse(command, {
    notes: [
      "The order is that of `bst artifact list-contents`: of each directory its files and links first, then its directories, each by name. In a pipe: a line for each path; with --long, tabs between mode, type (dir, link, exe or reg), size, path, and where a link leads; of several artifacts each line begins with the artifact and a tab.",
    ],
    examples: [
      { says: "All paths of an artifact", run: "stillage artifact list-contents os/image/4f6e0c" },
      {
        says: "The files of the build tree, with their sizes",
        run: "stillage artifact list-contents --long --tree buildtree image.bst",
      },
    ],
    statuses: { failed: "not found or a failure" },
    see: "docs/CLIENT.md",
  });
  return addPlaceOptions(command, localAndRemotes)
    .option("-l, --long", "Print modes, types and sizes as well")
    .addOption(new Option("--tree <TREE>", "Which of its trees").choices(treeNames).default("files"))
    .option("--json", "Print a JSON array: each artifact with its entries as the API has them")
    .action(async (names: string[], options: Options) => {
      end(await withPlaces(options, (places) => listContents(places, names, standardOutput(), options)));
    });
}

async function listContents(
  places: ReadingPlaces,
  names: readonly string[],
  output: Output,
  { long, json, tree: name }: Options,
): Promise<number> {
  const artifacts = await namedArtifacts(places, names);
  const several = artifacts.length > 1;
  let status: number = exitStatus.done;
  let before = "[";
  for (const open of artifacts) {
    const tree = await treeOf(open, name, places.signal).catch((error: unknown) => {
      // One of several keeps the others from nothing.
      places.signal.throwIfAborted();
      if (!several) throw error;
      status = reportFailure(error);
    });
    if (tree === undefined) continue;
    const title = shownArtifact(open.artifact);
    const begin = `${before}\n{"artifact": ${JSON.stringify(title)}, "tree": "${name}", "entries": [`;
    if (json) await output.write(begin);
    else if (several && output.forPeople) await output.write(`${before === "[" ? "" : "\n"}${printable(title)}:\n`);
    const prefix = several && !output.forPeople ? `${printable(title)}\t` : "";
    const lineOf = long ? longLine(output.forPeople) : ({ path }: PathEntry) => printable(path);
    let page: string[] = [];
    let comma = "\n  ";
    const flush = async (): Promise<boolean> => {
      if (page.length === 0) return true;
      const text = json ? `${comma}${page.join(",\n  ")}` : page.map((line) => `${prefix}${line}\n`).join("");
      [page, comma] = [[], ",\n  "];
      return output.write(text);
    };
    for (const each of treePaths(tree, "directories last")) {
      page.push(json ? JSON.stringify(entryJson(treeEntry(each))) : lineOf(each));
      if (page.length >= pageSize && !(await flush())) return exitStatus.done;
    }
    if (!(await flush())) return exitStatus.done;
    if (json) await output.write("\n]}");
    before = ",";
  }
  if (json) await output.write(before === "[" ? "[]\n" : "\n]\n");
  return status;
}

function longLine(forPeople: boolean): (entry: PathEntry) => string {
  return ({ path, entry }) => {
    const [mode, type] = modeOf(entry);
    const size = String(sizeOf(entry));
    const target = entry.type === "symlink" ? entry.target : undefined;
    if (!forPeople)
      return [mode, type, size, path, ...(target === undefined ? [] : [target])].map(printable).join("\t");
    return `${mode}  ${type.padEnd(4)}  ${size.padStart(11)}  ${printable(target === undefined ? path : `${path} -> ${target}`)}`;
  };
}

/** What BuildStream calls it. */
function modeOf(entry: Entry): [mode: string, type: string] {
  if (entry.type === "directory") return ["drwxr-xr-x", "dir"];
  if (entry.type === "symlink") return ["lrwxrwxrwx", "link"];
  return entry.executable ? ["-rwxr-xr-x", "exe"] : ["-rw-r--r--", "reg"];
}

function sizeOf(entry: Entry): number {
  if (entry.type === "file") return entry.size;
  return entry.type === "symlink" ? [...entry.target].length : 0;
}
