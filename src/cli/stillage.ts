import type { Command } from "commander";
import { exitStatus } from "./exit-status.ts";
import { newCommand, runCommand } from "./new-command.ts";

type End = (status: number) => void;

/** Commands that are to begin at once: of the program, only what they need is loaded, which takes a fourth of the time. */
const loadedAlone: Readonly<Record<string, (end: End) => Promise<Command>>> = {
  "artifact checkout": async (end) => (await import("./artifact-checkout.ts")).artifactCheckoutCommand(end),
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

/** The program `stillage`; gives its exit status. */
export async function runStillage(args: readonly string[]): Promise<number> {
  let status: number = exitStatus.usage;
  const end: End = (result) => {
    status = result;
  };
  const program = (await programFor(args, end)) ?? (await import("./stillage-program.ts")).stillageProgram(end);
  return runCommand(program, args, () => status);
}

/** The program with the one command that is asked for, where that is one of those. */
async function programFor([first = "", second = ""]: readonly string[], end: End): Promise<Command | undefined> {
  const program = newCommand("stillage", "stillage");
  const [alone, below] = [loadedAlone[first], loadedAlone[`${first} ${second}`]];
  if (alone !== undefined) return program.addCommand(await alone(end));
  if (below === undefined) return undefined;
  return program.addCommand(newCommand(first, "stillage").addCommand(await below(end)));
}
