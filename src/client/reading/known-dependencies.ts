import type { BuildDependency } from "../../artifact/artifact-content.ts";
import type { ListedDependency } from "../../artifact/dependencies.ts";
import { normalName } from "../../artifact/element-name.ts";
import { StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import type { ArtifactIndex } from "../artifact-index.ts";

/** Dependencies that are looked for at a time. */
const atOnce = 16;

/**
 * What an artifact was built with, and which of it the index has. Those that do not tell their project are most likely of the artifact's own, or else of the one that has their
 * key, where the index can list names. Errors: those of the index.
 */
export async function knownDependencies(
  dependencies: readonly BuildDependency[],
  own: string,
  index: ArtifactIndex,
  signal: AbortSignal,
): Promise<ListedDependency[]> {
  const listed = new Array<ListedDependency>(dependencies.length);
  await inParallel(dependencies.entries(), atOnce, async ([i, dependency]) => {
    const { key } = dependency;
    const element = normalName(dependency.element);
    const project = await projectOf({ project: dependency.project, element, key }, own, index, signal);
    listed[i] = { ...dependency, artifact: project === undefined ? undefined : { project, element, key } };
  });
  return listed;
}

interface Sought {
  readonly project: string | undefined;
  readonly element: string;
  readonly key: string;
}

async function projectOf(
  { project, element, key }: Sought,
  own: string,
  index: ArtifactIndex,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await index.find({ project: project ?? own, element, keys: [key] }, signal);
  if (found !== undefined || project !== undefined) return found?.project;
  try {
    for await (const each of index.list([{ project: "*", element, key }], signal)) return each.project;
  } catch (error) {
    if (!(error instanceof StillageError) || error.code !== "unsupported") throw error;
  }
  return undefined;
}
