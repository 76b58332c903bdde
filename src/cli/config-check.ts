import type { Command } from "commander";
import { AccessLoader } from "../access/load-access.ts";
import { systemClock } from "../base/clock.ts";
import { asStillageError } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import { loadTls } from "../server/tls.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { addSettings, loadSettingsAndAccess } from "./setting-options.ts";

/** `stillage config check`. */
export function configCheckCommand(end: (status: number) => void): Command {
  const command = newCommand("check", "stillage").description("Report everything that is wrong with the settings");
  return addSettings(command).action(async () => {
    const loaded = loadSettingsAndAccess(command);
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
    const { access } = loaded.config;
    if (access !== undefined && !(await accessIsFine(access, loaded.origins.access))) status = exitStatus.usage;
    if (status === exitStatus.done) process.stdout.write(`${loaded.file ?? "The configuration"} is fine\n`);
    end(status);
  });
}

/** Tries the files that an access file names. An issuer that does not answer is told of, and may well answer later. */
async function accessIsFine(access: string, origin: string): Promise<boolean> {
  const log: Log = {
    ...silentLog,
    warn: (fields, message) => void process.stderr.write(`stillage: ${message}: ${Object.values(fields).join(": ")}\n`),
  };
  try {
    const loader = new AccessLoader(access, systemClock, log);
    await loader.load();
    await loader.settled();
    return true;
  } catch (error) {
    process.stderr.write(`stillage: ${origin}: ${asStillageError(error).message}\n`);
    return false;
  }
}
