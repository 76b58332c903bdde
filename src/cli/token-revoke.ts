import type { Command } from "commander";
import { changeTokens } from "../access/token-file.ts";
import { StillageError } from "../base/errors.ts";
import { didYouMean } from "../config/nearest.ts";
import { addUse } from "./command-use.ts";
import { newCommand } from "./new-command.ts";
import { tokenAction } from "./token-settings.ts";

/** `stillage token revoke NAME`. */
export function tokenRevokeCommand(end: (status: number) => void): Command {
  const command = newCommand("revoke", "stillage")
    .description("Make a token worthless; running servers know within two seconds")
    .argument("<NAME>", "As `stillage token list` shows it");
  addUse(command, {
    examples: [
      { says: "A machine that is no more", run: "stillage token revoke builder-1 --access /etc/stillage/access.yaml" },
    ],
    see: "docs/ACCESS.md",
  });
  return tokenAction(command, end, async ({ accessFile, tokens }, [name = ""]) => {
    await changeTokens(tokens, accessFile, (entries) => {
      const left = entries.filter((each) => each.name !== name);
      if (left.length < entries.length) return left;
      const names = entries.map((each) => each.name);
      throw new StillageError("invalid", `there is no token ${JSON.stringify(name)}${didYouMean(name, names)}`);
    });
  });
}
