import { normalName } from "../../artifact/element-name.ts";
import { StillageError } from "../../base/errors.ts";
import { maxShowBytes } from "../../project/bst-show.ts";
import { askBst, type BstInstallation } from "./bst-installation.ts";

const mark = "=== ";

/** Nothing else of BuildStream prints a project's name for an element: it is one of its variables. */
const format = `${mark}%{name}
%{vars}`;

/**
 * Adds what artifacts are named by: the project that an element is in, which differs from junction to junction, and the element's stored name. For what is not known, one more run of `bst show`, over
 * one element of each project.
 */
export async function nameProjects<T extends { readonly name: string }>(
  bst: BstInstallation,
  elements: readonly T[],
  signal: AbortSignal,
): Promise<(T & { project: string; element: string })[]> {
  const projects = new Map<string, string>();
  if (bst.projectName !== undefined) projects.set("", bst.projectName);
  const samples = new Map<string, string>();
  for (const { name } of elements) {
    const junction = junctionOf(name);
    if (!projects.has(junction) && !samples.has(junction)) samples.set(junction, name);
  }
  if (samples.size > 0) await readProjects(bst, [...samples.values()], projects, signal);
  return elements.map((each) => {
    const project = projects.get(junctionOf(each.name));
    if (project === undefined) {
      throw new StillageError("invalid", `\`bst show\` does not tell which project ${each.name} is in`);
    }
    return { ...each, project, element: normalName(each.name.slice(each.name.lastIndexOf(":") + 1)) };
  });
}

async function readProjects(
  bst: BstInstallation,
  samples: readonly string[],
  projects: Map<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const words = ["show", "--deps", "none", "--format", format, "--", ...samples];
  const answer = await askBst(bst, words, maxShowBytes, signal);
  for (const section of answer.split(new RegExp(`^${mark}`, "m")).slice(1)) {
    const name = section.slice(0, section.indexOf("\n")).trim();
    const project = /^project-name: ['"]?([^'"\s]+)/m.exec(section)?.[1];
    if (project !== undefined) projects.set(junctionOf(name), project);
  }
}

/** What leads to an element's project: empty for the one that `bst` was started in. */
const junctionOf = (name: string): string => name.slice(0, Math.max(name.lastIndexOf(":"), 0));
