import type { Command } from "commander";
import { newCommand } from "./new-command.ts";
import { tokenCreateCommand } from "./token-create.ts";
import { tokenListCommand } from "./token-list.ts";
import { tokenRevokeCommand } from "./token-revoke.ts";

/** `stillage token …`. */
export function tokenCommand(end: (status: number) => void): Command {
  return newCommand("token", "stillage")
    .description("Make, list and revoke the tokens by which clients show who they are")
    .addCommand(tokenCreateCommand(end))
    .addCommand(tokenListCommand(end))
    .addCommand(tokenRevokeCommand(end));
}
