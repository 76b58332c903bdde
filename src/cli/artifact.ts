import type { Command } from "commander";
import { artifactCheckoutCommand } from "./artifact-checkout.ts";
import { artifactDeleteCommand } from "./artifact-delete.ts";
import { artifactDiffCommand } from "./artifact-diff.ts";
import { artifactListCommand } from "./artifact-list.ts";
import { artifactListContentsCommand } from "./artifact-list-contents.ts";
import { artifactLogCommand } from "./artifact-log.ts";
import { artifactPullCommand } from "./artifact-pull.ts";
import { artifactPushCommand } from "./artifact-push.ts";
import { artifactShowCommand } from "./artifact-show.ts";
import { newCommand } from "./new-command.ts";

/** `stillage artifact …`. */
export function artifactCommand(end: (status: number) => void): Command {
  return newCommand("artifact", "stillage")
    .description("See, check out, compare, pull and push artifacts")
    .addCommand(artifactCheckoutCommand(end))
    .addCommand(artifactDeleteCommand(end))
    .addCommand(artifactDiffCommand(end))
    .addCommand(artifactListCommand(end))
    .addCommand(artifactListContentsCommand(end))
    .addCommand(artifactLogCommand(end))
    .addCommand(artifactPullCommand(end))
    .addCommand(artifactPushCommand(end))
    .addCommand(artifactShowCommand(end));
}
