import type { Command } from "commander";
import { newCommand } from "./new-command.ts";
import { remoteListCommand } from "./remote-list.ts";

/** `stillage remote …`. */
export function remoteCommand(end: (status: number) => void): Command {
  return newCommand("remote", "stillage").description("Say which caches are used").addCommand(remoteListCommand(end));
}
