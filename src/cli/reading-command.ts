import type { Command } from "commander";
import type { OpenArtifact } from "../client/reading/open-artifact.ts";
import { addPlaceOptions, localAndRemotes } from "./artifact-places.ts";
import { addUse, type CommandUse, type Statuses } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { nameText } from "./name-texts.ts";
import { newCommand } from "./new-command.ts";
import { reportFailure } from "./report-failure.ts";

interface ReadingUse extends Pick<CommandUse, "notes" | "examples"> {
  readonly statuses?: Partial<Statuses>;
}

/** A command that reads artifacts that are named, as `argument` has it, wherever they are found: with the flags that say where. */
export function readingCommand(name: string, description: string, argument: string, use: ReadingUse): Command {
  const command = newCommand(name, "stillage").description(description).argument(argument, nameText);
  addUse(command, { ...use, statuses: { failed: "not found or a failure", ...use.statuses }, see: "docs/CLIENT.md" });
  return addPlaceOptions(command, localAndRemotes);
}

/** Does `work` with each artifact, and gives the exit status. What fails with one of several is printed, and keeps the others from nothing. */
export async function withEach(
  artifacts: readonly OpenArtifact[],
  signal: AbortSignal,
  work: (open: OpenArtifact) => Promise<void>,
): Promise<number> {
  let status: number = exitStatus.done;
  for (const open of artifacts) {
    try {
      await work(open);
    } catch (error) {
      signal.throwIfAborted();
      if (artifacts.length === 1) throw error;
      status = reportFailure(error);
    }
  }
  return status;
}
