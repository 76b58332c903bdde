import { Command, CommanderError } from "commander";
import { useText } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { isOfSystem, reportFailure } from "./report-failure.ts";

/** A command that leaves the end of the process to `main.ts`, whose errors begin with the program's name, and whose help ends with what is told of its use. */
export function newCommand(name: string, program: string): Command {
  const command = new Command(name).exitOverride().configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, `${program}: `)),
  });
  return command.addHelpText("after", () => useText(command));
}

/** Runs a program and gives its exit status; `status` says what its action came to. */
export async function runCommand(command: Command, args: readonly string[], status: () => number): Promise<number> {
  // What is said to nobody is no reason to stop: `2>&1 | head -1`, or a terminal that is closed.
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });
  try {
    await command.parseAsync(args, { from: "user" });
    return status();
  } catch (error) {
    if (isOfSystem(error)) return reportFailure(error);
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  }
}
