import type { ArtifactName, ArtifactRefs } from "../store/artifact-refs.ts";
import type { BuildDependency } from "./artifact-content.ts";

/** A dependency, and whether the catalogue has it. */
export interface ListedDependency extends BuildDependency {
  /** Its name in the catalogue; `undefined` where it is not there. */
  readonly artifact: ArtifactName | undefined;
}

/** Looks dependencies up. Those that do not tell their project are most likely of the artifact's own, or else of the one that has their key. */
export async function listDependencies(
  dependencies: readonly BuildDependency[],
  { instance, project }: { readonly instance: string; readonly project: string },
  artifacts: ArtifactRefs,
  storedName: (element: string) => string,
): Promise<ListedDependency[]> {
  const listed: ListedDependency[] = [];
  for (const dependency of dependencies) {
    const { key } = dependency;
    const name = { project: dependency.project ?? project, element: storedName(dependency.element), key };
    let artifact = (await artifacts.find(instance, name)) && name;
    if (artifact === undefined && dependency.project === undefined && key !== "") {
      const query = { instance, elements: [name.element], key, sort: "newest", limit: 1 } as const;
      const [other] = await artifacts.list(query);
      artifact = other && { ...name, project: other.project };
    }
    listed.push({ ...dependency, artifact });
  }
  return listed;
}
