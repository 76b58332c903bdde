import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { asStillageError, StillageError } from "../base/errors.ts";
import { Fsck } from "../check/fsck.ts";
import { isInUse } from "../store/disk/directory-lock.ts";
import { exitStatus } from "./exit-status.ts";
import { fsckAsJson, fsckAsText, fsckProgressLine } from "./fsck-report.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { showLine } from "./progress-line.ts";
import { sentence } from "./sentence.ts";

interface Flags {
  readonly store: string;
  readonly repair?: true;
  readonly json?: true;
}

const help = `
Exit status: 0 nothing is wrong, 1 something is or was (repaired or not), or a failure, 2 wrong usage.
What each finding means: docs/CHECKS.md`;

/** `stillage store fsck`. */
export function storeFsckCommand(end: (status: number) => void): Command {
  const command = newCommand("fsck", "stillage")
    .description("Read all of a store and say what is wrong with it")
    .requiredOption("--store <DIR>", "The store's directory, which no server has open")
    .option("--repair", "Mend what can be mended; what is broken goes to the quarantine")
    .option("--json", "Print the result as JSON")
    .addHelpText("after", help);
  return command.action(async () => end(await run(command.opts<Flags>())));
}

async function run({ store, repair: mend, json }: Flags): Promise<number> {
  const repair = mend === true;
  const fsck = new Fsck({ directory: store, repair, clock: systemClock });
  try {
    let result: Awaited<ReturnType<Fsck["run"]>>;
    {
      using _line = showLine(() => fsckProgressLine(fsck.progress), process.stderr);
      result = await fsck.run();
    }
    process.stdout.write(json ? fsckAsJson(result, repair) : fsckAsText(result, repair));
    return result.findings.wrong === 0 ? exitStatus.done : exitStatus.failed;
  } catch (error) {
    process.stderr.write(`stillage: ${printable(sentence(inUse(error)))}\n`);
    return exitStatus.failed;
  }
}

function inUse(error: unknown): unknown {
  if (!isInUse(error)) return error;
  return new StillageError("failed-precondition", asStillageError(error).message, {
    hint: "stop the server for as long as the check takes",
  });
}
