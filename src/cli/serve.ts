import type { Command } from "commander";
import { type RunningServer, startServer } from "../server/app.ts";
import { banner } from "./banner.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { serveUntilStopped } from "./serve-until-stopped.ts";
import { addSettings, loadSettingsAndAccess } from "./setting-options.ts";

/** `stillage serve [DIR]`. */
export function serveCommand(end: (status: number) => void): Command {
  const command = newCommand("serve", "stillage").description("Serve a cache until a signal stops it");
  addUse(command, {
    examples: [
      { says: "Try it out", run: "stillage serve ./cache" },
      {
        says: "A cache that everyone reads from, and those with a certificate push to",
        run: "stillage serve /srv/cache --listen address=0.0.0.0:11001,push=false --listen address=0.0.0.0:11002,cert=server.crt,key=server.key,client-certs=clients.crt --quota 500G",
      },
      { says: "With a file of settings", run: "stillage serve --config /etc/stillage/stillage.yaml" },
    ],
  });
  return addSettings(command).action(async () => {
    const loaded = loadSettingsAndAccess(command);
    if (loaded === undefined) return end(exitStatus.usage);
    const greet = (server: RunningServer): void => {
      if (process.stdout.isTTY) process.stdout.write(banner(loaded.config, server));
    };
    const status = await serveUntilStopped(loaded.config, { name: "stillage", start: startServer, greet });
    end(status);
  });
}
