import { isProblems } from "../../config/load.ts";
import { type Problem, showProblem } from "../../config/problem.ts";
import type { ClientConfiguration } from "../configuration/client-configuration.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { type Junction, junctionOf } from "./bst-projects.ts";
import { subprojectDirectory } from "./subproject-directory.ts";

/** The servers of a project. */
export interface ProjectServers {
  /** `undefined` where it is not known. */
  readonly project: string | undefined;
  readonly remotes: readonly RemoteSpec[];
  /** Those that `bst` uses for sources. */
  readonly sourceCaches: readonly RemoteSpec[];
}

/**
 * The remotes and caches of sources of each project that elements are in, by its junction; of the project itself by the empty name. As in BuildStream, a subproject's are what the user says for a project of its name, or else
 * for all, and then what the projects around it and it itself recommend. What cannot be found out is noted: then it is without what the subproject recommends.
 */
export function remotesOfProjects(
  configuration: ClientConfiguration,
  junctions: readonly Junction[],
  note: (text: string) => void,
): ReadonlyMap<string, ProjectServers> {
  const { remotes, recommended, sourceCaches } = configuration;
  const top = { project: configuration.project?.name, remotes, recommended, sourceCaches };
  const known = new Map([["", { ...top, directory: configuration.project?.directory }]]);
  for (const { name, project, path, options } of junctions) {
    const outer = known.get(junctionOf(name)) ?? { ...top, directory: undefined };
    const around = { around: outer.recommended, sourceCachesAround: outer.sourceCaches.recommended };
    const own = name.slice(name.lastIndexOf(":") + 1);
    const read = (directory: string | undefined): ClientConfiguration | readonly Problem[] =>
      configuration.ofSubproject?.({ name: project, directory, ...around }, options) ?? configuration;
    const left = (why: string): void =>
      note(`${project}, which ${name} leads to: the remotes that it recommends are left out: ${why}`);
    let directory = outer.directory && subprojectDirectory(outer.directory, own, path);
    if (directory === undefined) left("its files are not found");
    let found = read(directory);
    if (isProblems(found)) {
      left(found.map(showProblem).join("; "));
      directory = undefined;
      found = read(directory);
    }
    const { remotes, recommended, sourceCaches } = isProblems(found) ? outer : found;
    known.set(name, { project, remotes, recommended, sourceCaches, directory });
  }
  return new Map(
    [...known].map(([name, { project, remotes, sourceCaches }]) => [
      name,
      { project, remotes, sourceCaches: sourceCaches.used },
    ]),
  );
}
