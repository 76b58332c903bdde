import type { Command } from "commander";
import { BackupProgress } from "../backup/backup-progress.ts";
import { type Restored, restoreStore } from "../backup/restore-store.ts";
import { withBackupLine } from "./backup-progress-line.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { privately } from "./file-masks.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { readable } from "./readable.ts";
import { type StoreFlags, storeOf } from "./store-of.ts";

interface Flags extends StoreFlags {
  readonly quick?: true;
  readonly json?: true;
}

/** `stillage store restore BACKUP`. */
export function storeRestoreCommand(end: (status: number) => void): Command {
  const command = newCommand("restore", "stillage")
    .description("Make a store of a backup")
    .argument("<BACKUP>", "The directory that `stillage store backup` was given")
    .option("--store <DIR>", "The new store: an empty directory, or one that does not exist")
    .option("--quick", "Do not compare every blob with its hash")
    .option("--config <FILE>", "The server's configuration")
    .option("--json", "Print the result as JSON");
  addUse(command, {
    notes: ["What is damaged is named and left out: clients bring it again."],
    examples: [{ says: "A store on a new disk", run: "stillage store restore /backup/cache --store /srv/cache" }],
    statuses: { done: "the store is whole", failed: "something is damaged or there is no store" },
    see: "docs/STORE.md",
  });
  return command.action(async (backup: string) => {
    const flags = command.opts<Flags>();
    const store = storeOf(flags);
    if (store === undefined) return end(exitStatus.usage);
    process.umask(privately);
    const work = async (signal: AbortSignal): Promise<number> => {
      const progress = new BackupProgress();
      const quick = flags.quick === true;
      const done = await withBackupLine(progress, () => restoreStore({ backup, store, quick, signal, progress }));
      const { damaged, damagedBlobs } = done;
      for (const what of damaged) process.stderr.write(`stillage: damaged: ${what}\n`);
      if (damagedBlobs > damaged.length)
        process.stderr.write(`stillage: ${damagedBlobs - damaged.length} more like these\n`);
      process.stdout.write(flags.json ? `${JSON.stringify(done, undefined, 2)}\n` : textOf(done));
      return damagedBlobs > 0 ? exitStatus.failed : exitStatus.done;
    };
    end(await interruptible(work, "stopped before the end; the same command begins anew"));
  });
}

function textOf({ store, time, refs, blobs, bytes, verified, damagedBlobs }: Restored): string {
  const checked = !verified
    ? "not verified"
    : damagedBlobs === 0
      ? "all verified"
      : `${damagedBlobs} damaged and left out`;
  return `${store}: ${refs} refs of ${time}, ${blobs} blobs (${checked}), ${readable(bytes)}\n`;
}
