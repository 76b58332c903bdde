import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { isProblems } from "../../config/load.ts";
import { projectFileName } from "../../project/find-project.ts";
import { type MapNode, type Node, valueAt } from "../../project/node.ts";
import { readNodes } from "../../project/read-nodes.ts";

/**
 * Where BuildStream has the files of a junction's project: the directory itself for a single source of kind `local`, else where it has staged the sources, which is in the project that
 * the junction is in: `.bst/staged-junctions/JUNCTION/KEY`. The keys are not told, so the newest is taken. `undefined` where there is none, as with an open workspace.
 */
export function subprojectDirectory(project: string, junction: string, path: string): string | undefined {
  const folders = [localSource(project, junction), ...staged(project, junction)];
  return folders
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, path))
    .find((folder) => modified(join(folder, projectFileName)) > 0);
}

function localSource(project: string, junction: string): string | undefined {
  const root = read(join(project, projectFileName));
  const folder = textOf(root && valueAt(root, "element-path")) ?? ".";
  const element = read(join(project, folder, junction));
  const sources = element && valueAt(element, "sources");
  const [source, ...others] = sources?.kind === "list" ? sources.items : [];
  if (source?.kind !== "map" || others.length > 0 || textOf(valueAt(source, "kind")) !== "local") return undefined;
  const path = textOf(valueAt(source, "path"));
  return path === undefined ? undefined : resolve(project, path);
}

function staged(project: string, junction: string): string[] {
  const folder = join(project, ".bst/staged-junctions", junction);
  try {
    const keys = readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
    return keys.map((key) => join(folder, key)).sort((a, b) => modified(b) - modified(a));
  } catch {
    return [];
  }
}

/** What cannot be read, BuildStream complains of. */
function read(path: string): MapNode | undefined {
  const root = readNodes(path, path, false);
  return isProblems(root) ? undefined : root;
}

const textOf = (node: Node | undefined): string | undefined => (node?.kind === "scalar" ? node.text : undefined);

/** 0 where it is not there. */
function modified(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
