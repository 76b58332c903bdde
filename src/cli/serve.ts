import type { Command } from "commander";
import { banner } from "./banner.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { serveUntilStopped } from "./serve-until-stopped.ts";
import { addSettings, loadSettings } from "./setting-options.ts";

/** `stillage serve [DIR]`. */
export function serveCommand(end: (status: number) => void): Command {
  const command = newCommand("serve", "stillage").description("Serve a cache until a signal stops it");
  return addSettings(command).action(async () => {
    const loaded = loadSettings(command);
    if (loaded === undefined) return end(exitStatus.usage);
    const status = await serveUntilStopped(loaded.config, "stillage", (server) => {
      if (process.stdout.isTTY) process.stdout.write(banner(loaded.config, server));
    });
    end(status);
  });
}
