import type { Command } from "commander";
import { newCommand } from "./new-command.ts";
import { releaseCreateCommand, releasePrepareCommand } from "./release-create.ts";
import { releaseEndOfLifeCommand, releaseRollbackCommand } from "./release-derive.ts";
import { releaseDiffCommand } from "./release-diff.ts";
import { releaseInitCommand } from "./release-init.ts";
import { releaseListCommand } from "./release-list.ts";
import { releasePublishCommand } from "./release-publish.ts";
import { releaseShowCommand } from "./release-show.ts";

/** `stillage release`. */
export function releaseCommand(end: (status: number) => void): Command {
  return newCommand("release", "stillage")
    .description("Publish signed releases, apart from the cache, in OSTree repositories")
    .addCommand(releaseInitCommand(end))
    .addCommand(releaseCreateCommand(end))
    .addCommand(releasePrepareCommand(end))
    .addCommand(releasePublishCommand(end))
    .addCommand(releaseListCommand(end))
    .addCommand(releaseShowCommand(end))
    .addCommand(releaseDiffCommand(end))
    .addCommand(releaseRollbackCommand(end))
    .addCommand(releaseEndOfLifeCommand(end));
}
