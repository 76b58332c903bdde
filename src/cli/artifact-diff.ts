import { type Command, Option } from "commander";
import { type TreeName, treeNames } from "../artifact/artifact-content.ts";
import { entryJson } from "../artifact/artifact-json.ts";
import type { Entry } from "../artifact/directory-entries.ts";
import { StillageError } from "../base/errors.ts";
import { fileChanges, sayingChanges } from "../client/compare/compare-artifacts.ts";
import type { MetadataChange } from "../client/compare/metadata-changes.ts";
import type { TreeChange } from "../client/compare/tree-changes.ts";
import { shownArtifact } from "../client/meant-artifacts.ts";
import { onePlace } from "../client/reading/place-search.ts";
import { treeEntry } from "../client/reading/tree-entries.ts";
import { namedArtifact } from "./artifact-names.ts";
import { type PlaceFlags, type ReadingPlaces, withPlaces } from "./artifact-places.ts";
import { exitStatus } from "./exit-status.ts";
import { humanSize, printable } from "./human-text.ts";
import { type Output, standardOutput } from "./output.ts";
import { readingCommand } from "./reading-command.ts";
import { reportFailure } from "./report-failure.ts";

interface Options extends PlaceFlags {
  readonly with?: string;
  readonly tree: TreeName;
  readonly filesOnly?: true;
  readonly json?: true;
}

/** As `diff` ends (POSIX.1-2017). */
const diffStatus = { same: 0, different: 1, trouble: 2 } as const;

/** `stillage artifact diff A [B]`. */
export function artifactDiffCommand(end: (status: number) => void): Command {
  return readingCommand("diff", "Show what differs between two artifacts: files, keys, dependencies, outcome", "<A>", {
    notes: [
      "A line for each path: A for added, D for removed, M for modified with what of it is another: type, content, executable, target. In a pipe with tabs between sign, path, sizes before and after, and what differs. Before those, what the artifacts say of themselves: kind, name, before, after. Times and logs are not compared.",
    ],
    examples: [
      { says: "What a change has brought", run: "stillage artifact diff os/image/4f6e0c os/image/77ab31" },
      {
        says: "Whether two builds of one key have the same files",
        run: "stillage artifact diff --files-only os/image/4f6e0c --in local --with https://cache.example.com",
      },
    ],
    statuses: { done: "no difference", failed: "differences", usage: "a failure, wrong usage or configuration" },
  })
    .argument("[B]", "The other one (default, with --with alone: the same name there)")
    .option("--with <PLACE>", "Where B is (default: where A is)")
    .addOption(new Option("--tree <TREE>", "Which of their trees").choices(treeNames).default("files"))
    .option("--files-only", "Leave out what they say of themselves")
    .option("--json", "Print JSON")
    .action(async (a: string, b: string | undefined, options: Options) => {
      if (b === undefined && options.with === undefined) {
        reportFailure(
          new StillageError("invalid", `${JSON.stringify(a)} would be compared with itself`, {
            hint: "name the other artifact behind it, or with --with PLACE where another one of that name is",
          }),
        );
        return end(diffStatus.trouble);
      }
      let differ = false;
      const status = await withPlaces(options, async (places) => {
        differ = await diff(places, a, b ?? a, standardOutput(), options);
        return exitStatus.done;
      });
      end(status !== exitStatus.done ? diffStatus.trouble : differ ? diffStatus.different : diffStatus.same);
    });
}

/** Tells what differs, and whether anything does. */
async function diff(
  places: ReadingPlaces,
  a: string,
  b: string,
  output: Output,
  { with: other, tree, filesOnly, json }: Options,
): Promise<boolean> {
  const { signal, open } = places;
  const from = await namedArtifact(places, a);
  const search = other === undefined ? places.search : onePlace(await open(other), signal);
  const to = await namedArtifact({ ...places, search }, b);
  const said = filesOnly ? [] : await sayingChanges(from, to);
  const changes = fileChanges(from, to, tree, signal);
  let differ = said.length > 0;
  // Where a tree cannot be read, nothing is printed: half of it would be no JSON.
  let next = await changes.next();
  if (json) {
    const head = {
      from: shownArtifact(from.artifact),
      to: shownArtifact(to.artifact),
      metadata: filesOnly ? null : said,
    };
    await output.write(`${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "tree": "${tree}",\n  "files": [`);
  } else await output.write(said.map((change) => metadataLine(change, output.forPeople)).join(""));
  let separator = "\n";
  for (; !next.done; next = await changes.next()) {
    const change = next.value;
    differ = true;
    const text = json ? `${separator}    ${JSON.stringify(changeJson(change))}` : changeLine(change, output.forPeople);
    separator = ",\n";
    if (!(await output.write(text))) break;
  }
  if (json) await output.write(separator === "\n" ? "]\n}\n" : "\n  ]\n}\n");
  return differ;
}

function metadataLine({ what, name, from, to }: MetadataChange, forPeople: boolean): string {
  const kind = what === name ? name : `${what} ${name}`;
  if (!forPeople) return `${[kind, from ?? "", to ?? ""].map(printable).join("\t")}\n`;
  const change = from === null ? `added ${to}` : to === null ? `removed ${from}` : `${from} -> ${to}`;
  return `${printable(`${kind}: ${change}`)}\n`;
}

function signOf({ from, to }: TreeChange): "A" | "D" | "M" {
  return from === undefined ? "A" : to === undefined ? "D" : "M";
}

function changeLine(change: TreeChange, forPeople: boolean): string {
  const { path, from, to, differences } = change;
  const name = (to ?? from)?.type === "directory" && differences.length === 0 ? `${path}/` : path;
  if (!forPeople) {
    const cells = [signOf(change), name, sizeText(from), sizeText(to), differences.join(",")];
    return `${cells.map(printable).join("\t")}\n`;
  }
  return `${signOf(change)}  ${printable(name)}${explained(change)}\n`;
}

const sizeText = (entry: Entry | undefined): string => (entry?.type === "file" ? `${entry.size}` : "");

/** What somebody sees of a change behind its path. */
function explained({ from, to, differences }: TreeChange): string {
  const parts = differences.map((difference) => {
    if (difference === "type") return `${from?.type} -> ${to?.type}`;
    if (difference === "executable")
      return to?.type === "file" && to.executable ? "now executable" : "no longer executable";
    if (difference === "target") return `${targetOf(from)} -> ${targetOf(to)}`;
    const [was, is] = [from, to].map((entry) => (entry?.type === "file" ? humanSize(entry.size) : ""));
    return was === is ? `other content of ${is}` : `${was} -> ${is}`;
  });
  return parts.length === 0 ? "" : printable(`  (${parts.join("; ")})`);
}

const targetOf = (entry: Entry | undefined): string => (entry?.type === "symlink" ? entry.target : "");

function changeJson(change: TreeChange): object {
  const { path, from, to, differences } = change;
  const side = (entry: Entry | undefined): object | null =>
    entry === undefined ? null : entryJson(treeEntry({ path, entry }));
  const words = { A: "added", D: "removed", M: "modified" } as const;
  return { path, change: words[signOf(change)], differences, from: side(from), to: side(to) };
}
