import type { Command } from "commander";
import { entryJson, reportJson } from "../artifact/artifact-json.ts";
import type { ArtifactReport } from "../artifact/artifact-report.ts";
import type { Catalogue } from "../artifact/catalogue.ts";
import type { ListedDependency } from "../artifact/dependencies.ts";
import type { TreeEntry } from "../artifact/tree-listing.ts";
import { systemClock } from "../base/clock.ts";
import type { FoundArtifact } from "../store/artifact-refs.ts";
import { shortKey } from "./artifact-list.ts";
import { artifactMeant } from "./artifact-match.ts";
import { addStoreOptions, type StoreOptions, withCatalogue } from "./artifact-store.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanAge, humanSize, printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import type { Output } from "./output.ts";

interface Options extends StoreOptions {
  readonly json?: boolean;
  readonly files?: boolean;
}

/** Files, or dependencies, that are read at a time. */
const pageSize = 1000;

/** `stillage artifact show PROJECT/ELEMENT/KEY`. */
export function artifactShowCommand(end: (status: number) => void): Command {
  const command = newCommand("show", "stillage")
    .description("Show all that is known of an artifact")
    .argument("<PROJECT/ELEMENT/KEY>", "Its name; of the key, the beginning is enough where no other begins so");
  addUse(command, {
    examples: [
      {
        says: "What there is, and whether it is whole",
        run: "stillage artifact show os/image/4f6e0c1d2b3a --store /srv/cache",
      },
    ],
  });
  return addStoreOptions(command)
    .option("--files", "Print its files as well: type, size, path, and where a link leads")
    .option("--json", "Print what the API has, files under `files`")
    .action(async (name: string, options: Options) => {
      const work = async (catalogue: Catalogue, output: Output): Promise<number> => {
        const found = await artifactMeant(catalogue, name);
        return options.json ? showJson(catalogue, found, output, options) : show(catalogue, found, output, options);
      };
      end(await withCatalogue(options, work));
    });
}

async function showJson(
  catalogue: Catalogue,
  found: FoundArtifact,
  output: Output,
  { files }: Options,
): Promise<number> {
  const report = JSON.stringify(reportJson(await catalogue.report(found)), undefined, 2);
  if (!files) {
    await output.write(`${report}\n`);
    return exitStatus.done;
  }
  await output.write(`${report.slice(0, -2)},\n  "files": [`);
  let separator = "\n";
  for await (const page of filesOf(catalogue, found)) {
    const lines = page.map((entry) => JSON.stringify(entryJson(entry)));
    if (lines.length > 0 && !(await output.write(`${separator}    ${lines.join(",\n    ")}`))) break;
    separator = ",\n";
  }
  await output.write("\n  ]\n}\n");
  return exitStatus.done;
}

async function show(catalogue: Catalogue, found: FoundArtifact, output: Output, { files }: Options): Promise<number> {
  const report = await catalogue.report(found);
  const rows = [...summary(report, output.forPeople), ...(await dependencyRows(catalogue, report, output.forPeople))];
  for (const problem of report.problems) rows.push(["problem", problem]);
  const width = Math.max(...rows.map(([label]) => label.length));
  const line = ([label, value]: Row): string =>
    `${output.forPeople ? `${label.padEnd(width)}  ` : `${label}\t`}${printable(value)}\n`;
  if (!(await output.write(rows.map(line).join(""))) || !files) return exitStatus.done;
  if (output.forPeople) await output.write("\n");
  for await (const page of filesOf(catalogue, found)) {
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
  const time = new Date(pushed).toISOString();
  rows.push(["pushed", forPeople ? `${humanAge(pushed, systemClock())} (${time})` : time]);
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

async function dependencyRows(catalogue: Catalogue, report: ArtifactReport, forPeople: boolean): Promise<Row[]> {
  if (report.content === undefined) return [];
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await catalogue.dependencies(report.artifact, pageSize, cursor);
    rows.push(...page.items.map((each): Row => ["built with", dependencyText(each, forPeople)]));
    cursor = page.next;
  } while (cursor !== undefined);
  return rows;
}

function dependencyText({ project, element, key, artifact }: ListedDependency, forPeople: boolean): string {
  const name = `${artifact?.project ?? project ?? "?"}/${element}/${forPeople ? key.slice(0, shortKey) : key}`;
  return artifact === undefined ? `${name} (not here)` : name;
}

async function* filesOf(catalogue: Catalogue, found: FoundArtifact): AsyncGenerator<readonly TreeEntry[]> {
  const content = await catalogue.content(found);
  if (content.trees.files === undefined) return;
  let cursor: string | undefined;
  do {
    const page = await catalogue.files(found, "files", { path: "", recursive: true, limit: pageSize, cursor });
    yield page.items;
    cursor = page.next;
  } while (cursor !== undefined);
}

function fileLine({ path, type, size, executable, target, problem }: TreeEntry, forPeople: boolean): string {
  const kind = type === "file" ? (executable ? "executable" : "file") : type;
  const rest = target ?? (problem === undefined ? undefined : `(${problem})`);
  if (!forPeople) return `${[kind, size ?? "", path, rest ?? ""].map((each) => printable(String(each))).join("\t")}\n`;
  const shown = target === undefined ? rest : `-> ${target}`;
  const human = size === undefined ? "" : humanSize(size);
  return `${kind.padEnd(10)}  ${human.padStart(9)}  ${printable([path, ...(shown === undefined ? [] : [shown])].join(" "))}\n`;
}
