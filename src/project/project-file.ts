import { join } from "node:path";
import { isProblems } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { applyConditions } from "./conditions.ts";
import type { Dialect, Generation } from "./dialect.ts";
import { projectFileName } from "./find-project.ts";
import { Includes } from "./includes.ts";
import { type MapNode, type Node, valueAt } from "./node.ts";
import { projectKeys, remoteKeys, unconditionalKeys } from "./project-keys.ts";
import { type OptionSources, readOptions } from "./project-options.ts";
import { readNodes } from "./read-nodes.ts";
import type { ValueReader } from "./read-value.ts";

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
export function readProject(
  file: ProjectFile,
  name: string,
  dialect: Dialect,
  options: OptionSources,
  reader: ValueReader,
): Project {
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
  const whole = includes.resolve(root, [...remoteKeys, "options", "(?)"]);
  const values = readOptions(reader.map(whole, "options"), options, reader);
  const restricted = generation === "2" ? unconditionalKeys : [];
  const applied = applyConditions(whole, remoteKeys, { options: values, restricted, problems });
  reader.keys(applied, projectKeys[dialect]);
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
