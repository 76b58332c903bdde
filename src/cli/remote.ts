import type { Command } from "commander";
import { newCommand } from "./new-command.ts";
import { remoteCheckCommand } from "./remote-check.ts";
import { remoteListCommand } from "./remote-list.ts";

/** `stillage remote …`. */
export function remoteCommand(end: (status: number) => void): Command {
  return newCommand("remote", "stillage")
    .description("Say which caches are used, and what they do")
    .addCommand(remoteListCommand(end))
    .addCommand(remoteCheckCommand(end));
}
