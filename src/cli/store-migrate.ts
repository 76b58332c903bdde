import { join } from "node:path";
import type { Command } from "commander";
import { StillageError } from "../base/errors.ts";
import { isInUse, lockDirectory } from "../store/disk/directory-lock.ts";
import { checkReadable } from "../store/disk/read-only-store.ts";
import { migrateRefs } from "../store/sqlite/migrate-refs.ts";
import type { MigrationProgress } from "../store/sqlite/migration.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted } from "./human-text.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { showLine } from "./progress-line.ts";
import { addStoreFlags, type StoreFlags, storeOf } from "./store-of.ts";

interface Flags extends StoreFlags {
  readonly json?: true;
}

/** `stillage store migrate`. */
export function storeMigrateCommand(end: (status: number) => void): Command {
  const command = newCommand("migrate", "stillage").description(
    "Bring a store of an older version to the present format",
  );
  addUse(command, {
    notes: [
      "The server does the same when it starts. Until it is done nothing is changed: whatever ends it, the store is as it was, and the next run begins anew.",
    ],
    examples: [{ says: "After an update, before the server starts", run: "stillage store migrate --store /srv/cache" }],
    statuses: { done: "the store has the present format", failed: "it has not" },
  });
  addStoreFlags(command, "no server has it open").option("--json", "Print the result as JSON");
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const store = storeOf(flags);
    if (store === undefined) return end(exitStatus.usage);
    end(await interruptible((signal) => migrateStore(store, flags, signal), "stopped; the store is as it was"));
  });
}

async function migrateStore(store: string, { json }: Flags, signal: AbortSignal): Promise<number> {
  const directory = checkReadable(store);
  const lock = lockUnused(directory);
  try {
    let progress: MigrationProgress = { doing: "listing artifacts", done: 0, refs: 0 };
    using line = showLine(() => lineOf(progress), process.stderr);
    const migrated = await migrateRefs(join(directory, "refs.sqlite"), signal, (reached) => {
      progress = reached;
    });
    line[Symbol.dispose]();
    const { from, to, refs } = migrated;
    if (json) process.stdout.write(`${JSON.stringify({ store: directory, ...migrated }, undefined, 2)}\n`);
    else if (from === to) process.stdout.write(`${directory} has the present format, ${to}: nothing to do\n`);
    else process.stdout.write(`${directory}: format ${from} became ${to}, with ${counted(refs, "ref")}\n`);
    return exitStatus.done;
  } finally {
    lock.release();
  }
}

function lockUnused(directory: string): { release(): void } {
  try {
    return lockDirectory(directory);
  } catch (error) {
    if (!isInUse(error)) throw error;
    throw new StillageError("failed-precondition", (error as Error).message, {
      cause: error,
      hint: "stop that server, which has the format that its own version knows, and run this again",
    });
  }
}

function lineOf({ doing, done, refs }: MigrationProgress): string {
  if (doing === "dropping a table") return "dropping a table that nothing reads any more";
  if (doing === "making indexes") return `making the indexes of ${counted(refs, "ref")}`;
  return `${doing}: ${done} of ${refs} refs (${refs === 0 ? 100 : Math.floor((100 * done) / refs)} %)`;
}
