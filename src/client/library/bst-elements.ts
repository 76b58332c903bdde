import { StillageError } from "../../base/errors.ts";
import { findUserFile } from "../../project/user-configuration.ts";
import type { ArtifactQuestion } from "../artifact-index.ts";
import type { ClientConfiguration } from "../configuration/client-configuration.ts";
import type { BstInstallation } from "../pipeline/bst-installation.ts";

/** How the installed BuildStream is called for a project. */
export interface BstCall {
  readonly program: string;
  /** BuildStream's user configuration, where it is not the one that it finds. */
  readonly userConfiguration: string | undefined;
  readonly options: readonly (readonly [name: string, value: string])[];
}

/** Says what artifacts elements of a project have, in their order. */
export type ElementQuestions = (elements: readonly string[], signal: AbortSignal) => Promise<ArtifactQuestion[]>;

/** Asks the installed `bst`; `undefined` where no project is at hand. */
export function elementQuestions(
  { project }: Pick<ClientConfiguration, "project">,
  { program, userConfiguration, options }: BstCall,
): ElementQuestions | undefined {
  if (project === undefined) return undefined;
  const bst = { program, directory: project.directory, userConfiguration, projectName: project.name, options };
  return async (elements, signal) => {
    const { keysOfElements } = await import("../pipeline/bst-graph.ts");
    const found = await keysOfElements(bst, elements, "none", signal);
    return found.map(({ project: name, element, key }) => ({ project: name, element, keys: [key] }));
  };
}

/** The installed `bst` with the user's own file, for builds. Errors: `failed-precondition` where there is no project. */
export function bstForBuilds(
  { project }: Pick<ClientConfiguration, "project">,
  { program, userConfiguration, options }: BstCall,
  environment: Readonly<Record<string, string | undefined>>,
): BstInstallation {
  if (project === undefined) {
    throw new StillageError("failed-precondition", "there is no project to build", {
      hint: "name the directory of one: the one that has `project.conf`, or any below it",
    });
  }
  const user = findUserFile("2", userConfiguration, process.cwd(), environment);
  return {
    ...{ program, options, directory: project.directory, projectName: project.name },
    userConfiguration: user !== undefined && "path" in user ? user.path : undefined,
  };
}
