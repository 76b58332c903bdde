import { StillageError } from "../../base/errors.ts";
import type { Generation } from "../../project/dialect.ts";
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
  { project, generation }: Pick<ClientConfiguration, "project" | "generation">,
  { program, userConfiguration, options }: BstCall,
): ElementQuestions | undefined {
  if (project === undefined) return undefined;
  const bst = { program, directory: project.directory, userConfiguration, projectName: project.name, options };
  return async (elements, signal) => {
    const { keysOfElements } = await import("../pipeline/bst-graph.ts");
    const found = await keysOfElements(bst, elements, "none", signal).catch(async (error: unknown) => {
      throw (await ofOtherGeneration(bst, generation, signal)) ?? error;
    });
    return found.map(({ project: name, element, key }) => ({ project: name, element, keys: [key] }));
  };
}

/** What is to be said of a `bst` that failed where the project is for another generation of it: what it prints itself is about keys of files. Errors: `not-found`, `cancelled`. */
async function ofOtherGeneration(
  bst: BstInstallation,
  generation: Generation,
  signal: AbortSignal,
): Promise<StillageError | undefined> {
  const { bstVersion, programPath } = await import("../pipeline/bst-installation.ts");
  const version = await bstVersion(bst, signal);
  if (version === undefined || generationOfRelease(version) === generation) return undefined;
  const where = programPath(bst.program);
  const what = `${bst.projectName} in ${bst.directory} is a project for BuildStream ${generation}`;
  return new StillageError("failed-precondition", `${where} is BuildStream ${version}, and ${what}`, {
    hint: `have the \`bst\` of BuildStream ${generation} first in PATH; \`stillage build\` can be told with --bst`,
  });
}

/** Releases from 1.90 on read projects of BuildStream 2. */
function generationOfRelease(version: string): Generation {
  const [major, minor] = version.split(".").map(Number);
  return major === 1 && (minor ?? 0) < 90 ? "1" : "2";
}

/** The installed `bst` with the user's own file, for builds. Errors: `failed-precondition` where there is no project. */
export function bstForBuilds(
  { project }: Pick<ClientConfiguration, "project">,
  { program, userConfiguration, options }: BstCall,
  environment: Readonly<Record<string, string | undefined>>,
): BstInstallation {
  if (project === undefined) {
    throw new StillageError("failed-precondition", "there is no project.conf in this directory or above it", {
      hint: "name the directory of a project (-C DIR)",
    });
  }
  const user = findUserFile("2", userConfiguration, process.cwd(), environment);
  return {
    ...{ program, options, directory: project.directory, projectName: project.name },
    userConfiguration: user !== undefined && "path" in user ? user.path : undefined,
  };
}
