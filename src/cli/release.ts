import type { Command } from "commander";
import { newCommand } from "./new-command.ts";
import { releaseCreateCommand, releasePrepareCommand } from "./release-create.ts";
import { releaseEndOfLifeCommand, releaseRollbackCommand } from "./release-derive.ts";
import { releaseDiffCommand } from "./release-diff.ts";
import { releaseInitCommand } from "./release-init.ts";
import { releaseKeysCommand } from "./release-keys.ts";
import { releaseListCommand } from "./release-list.ts";
import { releaseMirrorCommand } from "./release-mirror.ts";
import { releasePruneCommand } from "./release-prune.ts";
import { releasePublishCommand } from "./release-publish.ts";
import { releaseShowCommand } from "./release-show.ts";
import { releaseSignCommand } from "./release-sign.ts";
import { releaseVerifyCommand } from "./release-verify.ts";

/** `stillage release`. */
export function releaseCommand(end: (status: number) => void): Command {
  return newCommand("release", "stillage")
    .description("Publish signed releases, apart from the cache, in OSTree repositories")
    .addCommand(releaseInitCommand(end))
    .addCommand(releaseCreateCommand(end))
    .addCommand(releasePrepareCommand(end))
    .addCommand(releasePublishCommand(end))
    .addCommand(releaseSignCommand(end))
    .addCommand(releaseVerifyCommand(end))
    .addCommand(releaseKeysCommand(end))
    .addCommand(releaseListCommand(end))
    .addCommand(releaseShowCommand(end))
    .addCommand(releaseDiffCommand(end))
    .addCommand(releaseRollbackCommand(end))
    .addCommand(releaseEndOfLifeCommand(end))
    .addCommand(releaseMirrorCommand(end))
    .addCommand(releasePruneCommand(end));
}
