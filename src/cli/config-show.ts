import type { Command } from "commander";
import { explain, explainAsYaml } from "../config/explain.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { addSettings, loadSettings } from "./setting-options.ts";

/** `stillage config show`. */
export function configShowCommand(end: (status: number) => void): Command {
  const command = newCommand("show", "stillage").description("Print every setting and who set it");
  addUse(command, {
    examples: [
      {
        says: "What the server would run with, and who said so",
        run: "stillage config show --config /etc/stillage/stillage.yaml",
      },
    ],
    see: "docs/CONFIGURATION.md",
  });
  command.option("--json", "Print JSON");
  return addSettings(command).action(() => {
    const loaded = loadSettings(command);
    if (loaded === undefined) return end(exitStatus.usage);
    const json = command.getOptionValue("json") === true;
    process.stdout.write(json ? `${JSON.stringify(explain(loaded), undefined, 2)}\n` : explainAsYaml(loaded));
    end(exitStatus.done);
  });
}
