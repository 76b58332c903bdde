import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { asStillageError, StillageError } from "../base/errors.ts";
import { Fsck } from "../check/fsck.ts";
import { isInUse } from "../store/disk/directory-lock.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { fsckAsJson, fsckAsText, fsckProgressLine } from "./fsck-report.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { showLine } from "./progress-line.ts";
import { sentence } from "./sentence.ts";
import { addStoreFlags, type StoreFlags, storeOf } from "./store-of.ts";

interface Flags extends StoreFlags {
  readonly repair?: true;
  readonly json?: true;
}

/** `stillage store fsck`. */
export function storeFsckCommand(end: (status: number) => void): Command {
  const command = newCommand("fsck", "stillage").description("Read all of a store and say what is wrong with it");
  addUse(command, {
    examples: [
      { says: "Look", run: "stillage store fsck --store /srv/cache" },
      { says: "Look, and mend", run: "stillage store fsck --store /srv/cache --repair" },
    ],
    statuses: { done: "nothing is wrong", failed: "something is or was (repaired or not), or a failure" },
    see: "docs/CHECKS.md",
  });
  addStoreFlags(command, "no server has it open")
    .option("--repair", "Mend what can be mended; what is broken goes to the quarantine")
    .option("--json", "Print the result as JSON");
  return command.action(async () => end(await run(command.opts<Flags>())));
}

async function run({ repair: mend, json, ...flags }: Flags): Promise<number> {
  const store = storeOf(flags);
  if (store === undefined) return exitStatus.usage;
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
