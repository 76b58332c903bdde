import { statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { isProblems } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { valueAt } from "./node.ts";
import { readNodes } from "./read-nodes.ts";

export const projectFileName = "project.conf";

/** Says which project a workspace is of (BuildStream 2). */
const workspaceFileName = ".bstproject.yaml";

/** The directory of the project that a directory is in, itself or by a workspace; `undefined` where there is none. */
export function findProject(directory: string): string | undefined | readonly Problem[] {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    if (isFile(join(folder, projectFileName))) return folder;
    const workspace = join(folder, workspaceFileName);
    if (isFile(workspace)) return projectOfWorkspace(workspace);
    if (dirname(folder) === folder) return undefined;
  }
}

function projectOfWorkspace(file: string): string | readonly Problem[] {
  const root = readNodes(file, file, false);
  if (isProblems(root)) return root;
  const projects = valueAt(root, "projects");
  const first = projects?.kind === "list" ? projects.items[0] : undefined;
  const path = first?.kind === "map" ? valueAt(first, "project-path") : undefined;
  if (path?.kind === "scalar" && isAbsolute(path.text)) return path.text;
  return [{ origin: path?.at ?? root.at, message: "projects: the path of the workspace's project is missing" }];
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
