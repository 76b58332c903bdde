import { exitStatus } from "./exit-status.ts";
import { runCommand } from "./new-command.ts";
import { stillageProgram } from "./stillage-program.ts";

/** Runs whatever command is asked for; gives its exit status. */
export async function run(args: readonly string[]): Promise<number> {
  let status: number = exitStatus.usage;
  const program = stillageProgram((result) => {
    status = result;
  });
  return runCommand(program, args, () => status);
}
