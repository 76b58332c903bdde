import { join } from "node:path";
import { isProblems } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { applyConditions } from "./conditions.ts";
import type { Generation } from "./dialect.ts";
import { projectFileName } from "./find-project.ts";
import { Includes } from "./includes.ts";
import { type MapNode, type Node, valueAt } from "./node.ts";
import { type OptionSources, readOptions } from "./project-options.ts";
import { readNodes } from "./read-nodes.ts";
import type { ValueReader } from "./read-value.ts";

/** Keys of a project that have to do with remotes. Includes and conditions elsewhere are not followed. */
const relevantKeys = ["artifacts", "source-caches", "options", "(?)"];

const commonKeys =
  "name element-path variables environment environment-nocache split-rules elements plugins aliases artifacts options fail-on-overlap shell fatal-warnings ref-storage sandbox mirrors".split(
    " ",
  );

/** Keys of project.conf. Sources are written as `sources` in both, and 1.x takes them out before it looks. */
const knownKeys = {
  "1": [...commonKeys, "format-version", "sources"],
  "2": [
    ..."min-version defaults sources source-caches junctions source-provenance-attributes".split(" "),
    ...commonKeys,
  ],
} as const;

/** What a condition cannot set, in BuildStream 2. */
const restrictedKeys =
  "min-version name element-path junctions defaults fatal-warnings ref-storage options plugins".split(" ");

/** A project's file as it stands there. */
export interface ProjectFile {
  readonly directory: string;
  readonly path: string;
  readonly root: MapNode;
  /** `min-version` is what only BuildStream 2 has. */
  readonly generation: Generation;
}

/** What it comes to. */
export interface Project {
  readonly name: string;
  readonly directory: string;
  readonly generation: Generation;
  /** The caches that it recommends, in whatever form. */
  readonly artifacts: Node | undefined;
  readonly sourceCaches: Node | undefined;
  readonly files: readonly string[];
  /** Includes that are not followed. */
  readonly notes: readonly Problem[];
}

/** Reads `project.conf` of a directory. */
export function readProjectFile(directory: string): ProjectFile | readonly Problem[] {
  const path = join(directory, projectFileName);
  const root = readNodes(path, path, true);
  if (isProblems(root)) return root;
  const generation = root.entries.has("min-version") ? "2" : "1";
  // Only then it is known whether it may have aliases.
  const again = generation === "2" ? readNodes(path, path, false) : root;
  return isProblems(again) ? again : { directory, path, root: again, generation };
}

/** The name of a project, which no include gives; `undefined` where it was reported. */
export function projectName({ root }: ProjectFile, reader: ValueReader): string | undefined {
  const name = reader.text(root, "name");
  if (name === undefined) {
    return root.entries.has("name") ? undefined : reader.report(root.at, "the project has no name; `name: …` says it");
  }
  if (/^[A-Za-z_-][\w-]*$/.test(name)) return name;
  const rule = "letters, digits, - and _, and no digit at the beginning";
  return reader.report(valueAt(root, "name")?.at ?? root.at, `name: ${JSON.stringify(name)} is not a name: ${rule}`);
}

/** Puts includes and conditions in place, as far as remotes depend on them. */
export function readProject(file: ProjectFile, name: string, options: OptionSources, reader: ValueReader): Project {
  const { directory, path, root, generation } = file;
  const minVersion = generation === "2" ? reader.text(root, "min-version") : undefined;
  if (minVersion !== undefined && !/^2\.\d+$/.test(minVersion)) {
    const message = `min-version: ${JSON.stringify(minVersion)} is no version of BuildStream 2, such as 2.0`;
    reader.report(valueAt(root, "min-version")?.at ?? root.at, message);
  }
  const files = new Set([path]);
  const notes: Problem[] = [];
  const { problems } = reader;
  const includes = new Includes({ directory, aliases: generation === "1", problems, notes, files });
  const whole = includes.resolve(root, relevantKeys);
  const values = readOptions(reader.map(whole, "options"), options, reader);
  const restricted = generation === "2" ? restrictedKeys : [];
  const applied = applyConditions(whole, ["artifacts", "source-caches"], { options: values, restricted, problems });
  reader.keys(applied, knownKeys[generation]);
  return {
    name,
    directory,
    generation,
    artifacts: valueAt(applied, "artifacts"),
    sourceCaches: valueAt(applied, "source-caches"),
    files: [...files],
    notes,
  };
}
