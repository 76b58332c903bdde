import { parse } from "yaml";
import { normalName } from "../../artifact/element-name.ts";
import { StillageError } from "../../base/errors.ts";
import { maxShowBytes } from "../../project/bst-show.ts";
import { askBst, type BstInstallation } from "./bst-installation.ts";

/** What leads to a subproject. */
export interface Junction {
  /** `sub.bst`, or `outer.bst:inner.bst` for one of a subproject. */
  readonly name: string;
  readonly project: string;
  /** Where in its sources the project is; empty for their top. */
  readonly path: string;
  /** Of the subproject. */
  readonly options: readonly (readonly [name: string, value: string])[];
}

const mark = "=== ";

/** Nothing else of BuildStream prints a project's name for an element: it is one of its variables. */
const format = `${mark}%{name}
%{config}
${mark}
%{vars}`;

/**
 * Adds what artifacts are named by: the project that an element is in, which differs from junction to junction, and the element's stored name. For what is not known, one more run of `bst show`, over
 * the junctions and one element of each project.
 */
export async function nameProjects<T extends { readonly name: string }>(
  bst: BstInstallation,
  elements: readonly T[],
  signal: AbortSignal,
): Promise<{ elements: (T & { project: string; element: string })[]; junctions: readonly Junction[] }> {
  const samples = new Map<string, string>();
  for (const { name } of elements) {
    const junction = junctionOf(name);
    if ((junction !== "" || bst.projectName === undefined) && !samples.has(junction)) samples.set(junction, name);
  }
  const { projects, junctions } = await readProjects(bst, samples, signal);
  const named = elements.map((each) => {
    const project = projects.get(junctionOf(each.name));
    if (project === undefined) {
      throw new StillageError("invalid", `\`bst show\` does not tell which project ${each.name} is in`);
    }
    return { ...each, project, element: normalName(each.name.slice(each.name.lastIndexOf(":") + 1)) };
  });
  return { elements: named, junctions };
}

async function readProjects(
  bst: BstInstallation,
  samples: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<{ projects: ReadonlyMap<string, string>; junctions: Junction[] }> {
  const projects = new Map(bst.projectName === undefined ? [] : [["", bst.projectName]]);
  const names = [...new Set([...samples.keys()].flatMap(withOuter))];
  const configurations = new Map<string, string>();
  if (samples.size > 0) {
    const words = ["show", "--deps", "none", "--format", format, "--", ...samples.values(), ...names];
    const answer = await askBst(bst, words, maxShowBytes, signal);
    const sections = answer.split(new RegExp(`^${mark}`, "m")).slice(1);
    for (let i = 0; i + 1 < sections.length; i += 2) {
      const [head, variables] = [sections[i] as string, sections[i + 1] as string];
      const end = head.indexOf("\n");
      const name = head.slice(0, end).trim();
      // Of a junction they are those of the project that it is in.
      const project = /^project-name: ['"]?([^'"\s]+)/m.exec(variables)?.[1];
      if (project !== undefined) projects.set(junctionOf(name), project);
      configurations.set(name, head.slice(end + 1));
    }
  }
  const junctions = names.flatMap((name) => {
    const project = projects.get(name);
    return project === undefined ? [] : [{ name, project, ...junctionConfiguration(configurations.get(name) ?? "") }];
  });
  return { projects, junctions };
}

/** The junction's own name behind those that it is in: all of them, the outermost first. */
function withOuter(junction: string): string[] {
  const parts = junction === "" ? [] : junction.split(":");
  return parts.map((_, i) => parts.slice(0, i + 1).join(":"));
}

function junctionConfiguration(text: string): Pick<Junction, "path" | "options"> {
  const value: unknown = parse(text, { schema: "failsafe", logLevel: "silent", maxAliasCount: 0 });
  const { path, options } = mappingOf(value);
  return {
    path: typeof path === "string" ? path : "",
    options: Object.entries(mappingOf(options)).flatMap(([name, each]) =>
      typeof each === "string" ? [[name, each] as const] : [],
    ),
  };
}

const mappingOf = (value: unknown): { readonly [key: string]: unknown } =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? { ...value } : {};

/** What leads to an element's project: empty for the one that `bst` was started in. */
export const junctionOf = (name: string): string => name.slice(0, Math.max(name.lastIndexOf(":"), 0));
