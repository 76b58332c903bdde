import type { Command } from "commander";
import { artifactCommand } from "./artifact.ts";
import { buildCommand } from "./build.ts";
import { completionCommand } from "./completion.ts";
import { configCheckCommand } from "./config-check.ts";
import { configShowCommand } from "./config-show.ts";
import { healthCommand } from "./health.ts";
import { mirrorCommand } from "./mirror.ts";
import { newCommand } from "./new-command.ts";
import { pinCommand } from "./pin.ts";
import { receiveCommand } from "./receive.ts";
import { releaseCommand } from "./release.ts";
import { remoteCommand } from "./remote.ts";
import { serveCommand } from "./serve.ts";
import { storeBackupCommand } from "./store-backup.ts";
import { storeFsckCommand } from "./store-fsck.ts";
import { storeImportCommand } from "./store-import.ts";
import { storeMigrateCommand } from "./store-migrate.ts";
import { storeRestoreCommand } from "./store-restore.ts";
import { storeStatsCommand } from "./store-stats.ts";
import { storeSweepCommand } from "./store-sweep.ts";
import { tokenCommand } from "./token.ts";
import { version } from "./version.ts";
import { versionCommand } from "./version-command.ts";

/** All commands of the program `stillage`; `end` gets the exit status of the one that is run. */
export function stillageProgram(end: (status: number) => void): Command {
  const config = newCommand("config", "stillage")
    .description("Check or show the settings")
    .addCommand(configCheckCommand(end))
    .addCommand(configShowCommand(end));
  const store = newCommand("store", "stillage")
    .description("Back up, restore, check, fill, renew or sweep a store, or say what it has")
    .addCommand(storeBackupCommand(end))
    .addCommand(storeFsckCommand(end))
    .addCommand(storeImportCommand(end))
    .addCommand(storeMigrateCommand(end))
    .addCommand(storeRestoreCommand(end))
    .addCommand(storeStatsCommand(end))
    .addCommand(storeSweepCommand(end));
  return (
    newCommand("stillage", "stillage")
      .description("A build-artifact cache for BuildStream and every client of the Remote Execution API")
      .version(version)
      // A release has a --version of its own.
      .enablePositionalOptions()
      .addCommand(serveCommand(end))
      .addCommand(artifactCommand(end))
      .addCommand(buildCommand(end))
      .addCommand(completionCommand(end))
      .addCommand(config)
      .addCommand(healthCommand(end))
      .addCommand(mirrorCommand(end))
      .addCommand(pinCommand(end, "pin"))
      .addCommand(pinCommand(end, "unpin"))
      .addCommand(receiveCommand(end))
      .addCommand(releaseCommand(end))
      .addCommand(remoteCommand(end))
      .addCommand(store)
      .addCommand(tokenCommand(end))
      .addCommand(versionCommand(end))
  );
}
