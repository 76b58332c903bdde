import type { Command } from "commander";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { version } from "./version.ts";

/** `stillage version`. */
export function versionCommand(end: (status: number) => void): Command {
  return newCommand("version", "stillage")
    .description("Print the version")
    .action(() => {
      process.stdout.write(`${version}\n`);
      end(exitStatus.done);
    });
}
