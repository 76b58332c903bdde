import type { Command } from "commander";
import { asStillageError, StillageError } from "../base/errors.ts";
import { type AccessConfig, readAccessFile } from "../config/access.ts";
import { exitStatus } from "./exit-status.ts";
import { sentence } from "./sentence.ts";
import { addSettings, loadSettingsAndAccess } from "./setting-options.ts";

/** The access file, and the file of tokens that it names. */
export interface TokenSettings {
  readonly accessFile: string;
  readonly tokens: string;
  readonly access: AccessConfig;
}

/** Gives a command about tokens the setting that says where they are, and its work; gives `end` the exit status. */
export function tokenAction(
  command: Command,
  end: (status: number) => void,
  work: (settings: TokenSettings, args: readonly string[]) => Promise<void>,
): Command {
  return addSettings(command, ["access"]).action(async () => {
    const loaded = loadSettingsAndAccess(command);
    if (loaded === undefined) return end(exitStatus.usage);
    try {
      await work(settingsOf(loaded.config.access), command.args);
      end(exitStatus.done);
    } catch (error) {
      const { code } = asStillageError(error);
      process.stderr.write(`stillage: ${sentence(error)}\n`);
      end(code === "invalid" || code === "failed-precondition" ? exitStatus.usage : exitStatus.failed);
    }
  });
}

function settingsOf(accessFile: string | undefined): TokenSettings {
  if (accessFile === undefined) {
    throw new StillageError("invalid", "no access file is named", {
      hint: "name the server's with --access FILE or --config FILE",
    });
  }
  const access = readAccessFile(accessFile, "--access");
  // What is wrong in it was said when the settings were loaded.
  if (!("rules" in access)) throw new StillageError("aborted", `${accessFile} has just been changed; try again`);
  const { tokens } = access;
  if (tokens !== undefined) return { accessFile, tokens, access };
  throw new StillageError("invalid", `${accessFile} names no file of tokens`, {
    hint: "add a line such as `tokens: tokens.txt`",
  });
}
