import { artifactListCommand } from "./artifact-list.ts";
import { artifactShowCommand } from "./artifact-show.ts";
import { buildCommand } from "./build.ts";
import { configCheckCommand } from "./config-check.ts";
import { configShowCommand } from "./config-show.ts";
import { exitStatus } from "./exit-status.ts";
import { healthCommand } from "./health.ts";
import { newCommand, runCommand } from "./new-command.ts";
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

/** The program `stillage`; gives its exit status. */
export function runStillage(args: readonly string[]): Promise<number> {
  let status: number = exitStatus.usage;
  const end = (result: number): void => {
    status = result;
  };
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
  const artifact = newCommand("artifact", "stillage")
    .description("See the artifacts in a store")
    .addCommand(artifactListCommand(end))
    .addCommand(artifactShowCommand(end));
  const program = newCommand("stillage", "stillage")
    .description("A build-artifact cache for BuildStream and every client of the Remote Execution API")
    .version(version)
    // A release has a --version of its own.
    .enablePositionalOptions()
    .addCommand(serveCommand(end))
    .addCommand(artifact)
    .addCommand(buildCommand(end))
    .addCommand(config)
    .addCommand(healthCommand(end))
    .addCommand(pinCommand(end, "pin"))
    .addCommand(pinCommand(end, "unpin"))
    .addCommand(receiveCommand(end))
    .addCommand(releaseCommand(end))
    .addCommand(remoteCommand(end))
    .addCommand(store)
    .addCommand(tokenCommand(end))
    .addCommand(versionCommand(end));
  return runCommand(program, args, () => status);
}
