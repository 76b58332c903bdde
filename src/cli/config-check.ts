import type { Command } from "commander";
import { asStillageError } from "../base/errors.ts";
import { loadTls } from "../server/tls.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { addSettings, loadSettings } from "./setting-options.ts";

/** `stillage config check`. */
export function configCheckCommand(end: (status: number) => void): Command {
  const command = newCommand("check", "stillage").description("Report everything that is wrong with the settings");
  return addSettings(command).action(async () => {
    const loaded = loadSettings(command);
    if (loaded === undefined) return end(exitStatus.usage);
    let status: number = exitStatus.done;
    for (const { tls } of loaded.config.listeners) {
      if (tls === undefined) continue;
      try {
        await loadTls(tls);
      } catch (error) {
        process.stderr.write(`stillage: ${loaded.origins.listeners}: ${asStillageError(error).message}\n`);
        status = exitStatus.usage;
      }
    }
    if (status === exitStatus.done) process.stdout.write(`${loaded.file ?? "The configuration"} is fine\n`);
    end(status);
  });
}
