import type { Command } from "commander";
import { type ClientCommand, clientCommandOf } from "./client-commands.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand, runCommand } from "./new-command.ts";

type End = (status: number) => void;

/** Of the program, only what the command needs is run. */
const commands: Readonly<Record<ClientCommand, (end: End) => Promise<Command>>> = {
  "artifact checkout": async (end) => (await import("./artifact-checkout.ts")).artifactCheckoutCommand(end),
  "artifact delete": async (end) => (await import("./artifact-delete.ts")).artifactDeleteCommand(end),
  "artifact diff": async (end) => (await import("./artifact-diff.ts")).artifactDiffCommand(end),
  "artifact list": async (end) => (await import("./artifact-list.ts")).artifactListCommand(end),
  "artifact list-contents": async (end) =>
    (await import("./artifact-list-contents.ts")).artifactListContentsCommand(end),
  "artifact log": async (end) => (await import("./artifact-log.ts")).artifactLogCommand(end),
  "artifact pull": async (end) => (await import("./artifact-pull.ts")).artifactPullCommand(end),
  "artifact push": async (end) => (await import("./artifact-push.ts")).artifactPushCommand(end),
  "artifact show": async (end) => (await import("./artifact-show.ts")).artifactShowCommand(end),
  build: async (end) => (await import("./build.ts")).buildCommand(end),
  mirror: async (end) => (await import("./mirror.ts")).mirrorCommand(end),
  "remote check": async (end) => (await import("./remote-check.ts")).remoteCheckCommand(end),
  "remote list": async (end) => (await import("./remote-list.ts")).remoteListCommand(end),
};

/** Runs the command that is asked for, which is one of these; gives its exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const name = clientCommandOf(args);
  if (name === undefined) throw new Error(`${args[0]} is another program's command`);
  let status: number = exitStatus.usage;
  const command = await commands[name]((result) => {
    status = result;
  });
  const group = name.includes(" ") ? newCommand(args[0] as string, "stillage").addCommand(command) : command;
  return runCommand(newCommand("stillage", "stillage").addCommand(group), args, () => status);
}
