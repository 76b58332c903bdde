import type { Command } from "commander";
import { entryJson, reportJson } from "../artifact/artifact-json.ts";
import { type ArtifactReport, reportOf } from "../artifact/artifact-report.ts";
import type { ListedDependency } from "../artifact/dependencies.ts";
import type { TreeEntry } from "../artifact/tree-listing.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { ArtifactIndex } from "../client/artifact-index.ts";
import { artifactMeant } from "../client/meant-artifacts.ts";
import { knownArtifact } from "../client/reading/known-artifact.ts";
import { knownDependencies } from "../client/reading/known-dependencies.ts";
import type { OpenArtifact } from "../client/reading/open-artifact.ts";
import { treeEntries } from "../client/reading/tree-entries.ts";
import { shortKey } from "./artifact-list.ts";
import { type PlaceFlags, type ReadingPlaces, withPlaces } from "./artifact-places.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanAge, humanSize, printable } from "./human-text.ts";
import { type Output, standardOutput } from "./output.ts";
import { readingCommand } from "./reading-command.ts";

interface Options extends PlaceFlags {
  readonly json?: true;
  readonly files?: true;
}

/** `stillage artifact show NAME`. */
export function artifactShowCommand(end: (status: number) => void): Command {
  return readingCommand("show", "Show all that is known of an artifact", "<NAME>", {
    notes: [],
    examples: [
      { says: "What there is, and whether it is whole", run: "stillage artifact show os/image/4f6e0c1d2b3a" },
      { says: "The artifact of an element of this project", run: "stillage artifact show image.bst --files" },
      { says: "In the directory of a server", run: "stillage artifact show os/image/4f6e0c --in /srv/cache" },
    ],
  })
    .option("--files", "Print its files as well: type, size, path, and where a link leads")
    .option("--json", "Print what the API has, files under `files`")
    .action(async (name: string, options: Options) => {
      end(await withPlaces(options, (places) => showNamed(places, name, standardOutput(), options)));
    });
}

async function showNamed(
  { search, signal, ofElement }: ReadingPlaces,
  name: string,
  output: Output,
  { files, json }: Options,
): Promise<number> {
  const { artifact, place } = await artifactMeant(search.places(), name, { signal, ofElement });
  const open = search.open(artifact, place);
  const report = await reportOn(open, signal);
  return json
    ? showJson(report, open, output, files === true, signal)
    : show(report, place.index, open, output, files === true, signal);
}

/** Of what cannot be read, what is known is told. Errors: those of the place. */
async function reportOn(open: OpenArtifact, signal: AbortSignal): Promise<ArtifactReport> {
  const content = await open.content().catch((error: unknown) => {
    if (error instanceof StillageError && ["invalid", "corrupt"].includes(error.code)) return error.message;
    if (error instanceof StillageError && error.code === "not-found") return undefined;
    throw error;
  });
  signal.throwIfAborted();
  const options = { blobs: open.reader, complete: "to be found out", known: undefined } as const;
  return reportOf(knownArtifact(open.artifact), content, options);
}

async function showJson(
  report: ArtifactReport,
  open: OpenArtifact,
  output: Output,
  files: boolean,
  signal: AbortSignal,
): Promise<number> {
  const text = JSON.stringify(reportJson(report), undefined, 2);
  if (!files) {
    await output.write(`${text}\n`);
    return exitStatus.done;
  }
  const pages = treeEntries(open, "files", signal);
  // Where the tree cannot be read, nothing is printed: half of it would be no JSON.
  let next = await pages.next();
  await output.write(`${text.slice(0, -2)},\n  "files": [`);
  let separator = "\n";
  for (; !next.done; next = await pages.next()) {
    const page = next.value;
    const lines = page.map((entry) => JSON.stringify(entryJson(entry)));
    if (lines.length > 0 && !(await output.write(`${separator}    ${lines.join(",\n    ")}`))) break;
    if (lines.length > 0) separator = ",\n";
  }
  await output.write("\n  ]\n}\n");
  return exitStatus.done;
}

async function show(
  report: ArtifactReport,
  index: ArtifactIndex,
  open: OpenArtifact,
  output: Output,
  files: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { dependencies = [] } = report.content ?? {};
  const built = await knownDependencies(dependencies, report.artifact.project, index, signal);
  const rows = summary(report, output.forPeople);
  for (const each of built) rows.push(["built with", dependencyText(each, output.forPeople)]);
  for (const problem of report.problems) rows.push(["problem", problem]);
  const width = Math.max(...rows.map(([label]) => label.length));
  const line = ([label, value]: Row): string =>
    `${output.forPeople ? `${label.padEnd(width)}  ` : `${label}\t`}${printable(value)}\n`;
  if (!(await output.write(rows.map(line).join(""))) || !files || report.content === undefined) return exitStatus.done;
  if (output.forPeople) await output.write("\n");
  for await (const page of treeEntries(open, "files", signal)) {
    if (!(await output.write(page.map((entry) => fileLine(entry, output.forPeople)).join("")))) break;
  }
  return exitStatus.done;
}

type Row = readonly [label: string, value: string];

function summary(report: ArtifactReport, forPeople: boolean): Row[] {
  const { artifact, content, complete, missing, size } = report;
  const { project, element, keys, generation, pushed, by } = artifact;
  const rows: Row[] = [["artifact", `${project}/${element}`]];
  const roles = new Map(Object.entries(content?.keys ?? {}).map(([role, key]) => [key, role]));
  for (const key of keys) rows.push(["key", roles.has(key) ? `${key} ${roles.get(key)}` : key]);
  rows.push(["generation", generation]);
  if (pushed !== undefined) {
    const time = new Date(pushed).toISOString();
    rows.push(["pushed", forPeople ? `${humanAge(pushed, systemClock())} (${time})` : time]);
  }
  if (by !== undefined) rows.push(["by", by]);
  rows.push(["complete", complete === undefined ? "unknown" : complete ? "yes" : "no"]);
  for (const { part, blobs, required } of missing) {
    rows.push(["missing", `${part}: ${counted(blobs, "blob")}${required ? "" : " (not needed to pull)"}`]);
  }
  if (size !== undefined) {
    const more = size.exact ? "" : " or more";
    rows.push([
      "size",
      forPeople
        ? `${humanSize(size.bytes)} in ${counted(size.blobs, "blob")}${more}`
        : `${size.bytes} ${size.blobs}${more}`,
    ]);
  }
  if (content === undefined) return rows;
  const { success, error, workspaced } = content.build;
  rows.push([
    "build",
    `${success === undefined ? "unknown" : success ? "succeeded" : "failed"}${workspaced ? ", in a workspace" : ""}`,
  ]);
  if (error !== undefined) rows.push(["error", error]);
  rows.push(["trees", Object.keys(content.trees).join(", ") || "none"]);
  for (const { name, size } of content.logs) {
    rows.push(["log", `${name} ${forPeople ? `(${humanSize(size)})` : size}`]);
  }
  if (report.publicData !== undefined && report.publicData !== null && typeof report.publicData === "object") {
    rows.push(["public data", Object.keys(report.publicData).join(", ") || "empty"]);
  }
  return rows;
}

function dependencyText({ project, element, key, artifact }: ListedDependency, forPeople: boolean): string {
  const name = `${artifact?.project ?? project ?? "?"}/${element}/${forPeople ? key.slice(0, shortKey) : key}`;
  return artifact === undefined ? `${name} (not here)` : name;
}

function fileLine({ path, type, size, executable, target, problem }: TreeEntry, forPeople: boolean): string {
  const kind = type === "file" ? (executable ? "executable" : "file") : type;
  const rest = target ?? (problem === undefined ? undefined : `(${problem})`);
  if (!forPeople) return `${[kind, size ?? "", path, rest ?? ""].map((each) => printable(String(each))).join("\t")}\n`;
  const shown = target === undefined ? rest : `-> ${target}`;
  const human = size === undefined ? "" : humanSize(size);
  return `${kind.padEnd(10)}  ${human.padStart(9)}  ${printable([path, ...(shown === undefined ? [] : [shown])].join(" "))}\n`;
}
