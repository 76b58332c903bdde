import type { Command } from "commander";
import { artifactListCommand } from "./artifact-list.ts";
import { artifactShowCommand } from "./artifact-show.ts";
import { newCommand } from "./new-command.ts";

/** `stillage artifact …`. */
export function artifactCommand(end: (status: number) => void): Command {
  return newCommand("artifact", "stillage")
    .description("See, check out and compare artifacts, wherever they are")
    .addCommand(artifactListCommand(end))
    .addCommand(artifactShowCommand(end));
}
