import type { Command } from "commander";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { version } from "./version.ts";

/** `stillage version`. */
export function versionCommand(end: (status: number) => void): Command {
  const command = newCommand("version", "stillage").description("Print the version");
  return addUse(command, { examples: [{ says: "For a bug report", run: "stillage version" }] }).action(() => {
    process.stdout.write(`${version}\n`);
    end(exitStatus.done);
  });
}
