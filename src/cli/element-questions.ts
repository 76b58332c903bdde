import type { ArtifactQuestion } from "../client/artifact-index.ts";
import type { ClientConfiguration } from "../client/configuration/client-configuration.ts";
import type { ClientFlags } from "./client-options.ts";

/** Says what artifacts elements of a project have, in their order. */
export type ElementQuestions = (elements: readonly string[], signal: AbortSignal) => Promise<ArtifactQuestion[]>;

/** Asks the installed `bst`; `undefined` where no project is at hand. */
export function elementQuestions(
  { project }: Pick<ClientConfiguration, "project">,
  flags: ClientFlags,
): ElementQuestions | undefined {
  if (project === undefined) return undefined;
  return async (elements, signal) => {
    const { keysOfElements } = await import("../client/pipeline/bst-graph.ts");
    const bst = {
      program: "bst",
      directory: project.directory,
      userConfiguration: flags.buildstreamConfig,
      projectName: project.name,
      options: flags.option ?? [],
    };
    const found = await keysOfElements(bst, elements, "none", signal);
    return found.map(({ project: name, element, key }) => ({ project: name, element, keys: [key] }));
  };
}
