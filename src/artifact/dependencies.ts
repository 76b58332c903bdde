import { setImmediate as breath } from "node:timers/promises";
import type { ArtifactName, ArtifactRefs } from "../store/artifact-refs.ts";
import type { BuildDependency } from "./artifact-content.ts";

/** A dependency, and whether the catalogue has it. */
export interface ListedDependency extends BuildDependency {
  /** Its name in the catalogue; `undefined` where it is not there. */
  readonly artifact: ArtifactName | undefined;
}

/** Dependencies that are looked up for one page. */
export const maxDependencies = 100;

/** Dependencies that are looked up before others have their turn: a look takes some ten microseconds, or far more where many keys are alike. */
const lookedUpAtOnce = 20;

/** Looks dependencies up. Those that do not tell their project are most likely of the artifact's own, or else of the one that has their key. */
export async function listDependencies(
  dependencies: readonly BuildDependency[],
  { instance, project: own }: { readonly instance: string; readonly project: string },
  artifacts: ArtifactRefs,
  storedName: (element: string) => string,
): Promise<ListedDependency[]> {
  const listed: ListedDependency[] = [];
  for (const dependency of dependencies) {
    const { project, key } = dependency;
    const name = { element: storedName(dependency.element), key };
    let found = await artifacts.projectOf(instance, { ...name, project: project ?? own });
    if (found === undefined && project === undefined) found = await artifacts.projectOf(instance, name);
    listed.push({ ...dependency, artifact: found === undefined ? undefined : { ...name, project: found } });
    if (listed.length % lookedUpAtOnce === 0) await breath();
  }
  return listed;
}
