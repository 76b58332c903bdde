import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { BackupProgress } from "../backup/backup-progress.ts";
import { type BackedUp, backupStore } from "../backup/backup-store.ts";
import { bad } from "../config/check.ts";
import { size } from "../config/quantity.ts";
import { withBackupLine } from "./backup-progress-line.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { privately } from "./file-masks.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { readable } from "./readable.ts";
import { type StoreFlags, storeOf } from "./store-of.ts";

interface Flags extends StoreFlags {
  readonly rate?: number;
  readonly replace?: true;
  readonly json?: true;
}

/** `stillage store backup DIR`. */
export function storeBackupCommand(end: (status: number) => void): Command {
  const command = newCommand("backup", "stillage")
    .description("Copy a store, whose server may be running")
    .argument("<DIR>", "The directory of the backup; it is made where there is none")
    .option("--store <DIR>", "The store's directory")
    .option("--rate <SIZE>", "The most bytes that are copied in a second", parseRate)
    .option("--replace", "Also where DIR is a backup of another store, or of this one at another place")
    .option("--config <FILE>", "The server's configuration")
    .option("--json", "Print the result as JSON");
  addUse(command, {
    notes: [
      "A second run into the same DIR copies what is new. DIR is no store: `stillage store restore` makes one of it.",
      "SIZE: bytes, or a number with K, M, G, T (powers of 1000) or KiB, MiB, GiB, TiB.",
    ],
    examples: [
      {
        says: "Beside the running server, every night",
        run: "stillage store backup /backup/cache --store /srv/cache --rate 50M",
      },
    ],
    statuses: { done: "the backup is whole", failed: "it is not" },
    see: "docs/STORE.md",
  });
  return command.action(async (target: string) => {
    const flags = command.opts<Flags>();
    const store = storeOf(flags);
    if (store === undefined) return end(exitStatus.usage);
    process.umask(privately);
    const replace = flags.replace === true;
    const bytesPerSecond = flags.rate ?? Number.POSITIVE_INFINITY;
    const work = async (signal: AbortSignal): Promise<number> => {
      const progress = new BackupProgress();
      const done = await withBackupLine(progress, () =>
        backupStore({ store, target, replace, bytesPerSecond, signal, progress }),
      );
      process.stdout.write(flags.json ? `${JSON.stringify(done, undefined, 2)}\n` : textOf(done));
      return exitStatus.done;
    };
    end(await interruptible(work, "stopped before the end; the same command goes on from there"));
  });
}

function textOf({ backup, refs, gone, packs, files, bytes, copied }: BackedUp): string {
  const went = gone > 0 ? ` (${gone} went meanwhile)` : "";
  return `${backup}: ${refs} refs${went}, ${packs} packs and ${files} large blobs, ${readable(bytes)}; ${readable(copied)} copied\n`;
}

function parseRate(text: string): number {
  let problem = "";
  const bytes = size(1)(text, [], ({ message }) => {
    problem = message;
  });
  if (bytes === bad) throw new InvalidArgumentError(problem);
  return bytes;
}
