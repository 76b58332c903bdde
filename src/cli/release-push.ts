import type { Command } from "commander";
import { StillageError } from "../base/errors.ts";
import { branchesOf, noBranch } from "../release/history.ts";
import { pushBranches } from "../release/push.ts";
import { checkBranches } from "../release/release-names.ts";
import { parsePushDestination } from "../ssh/push-destination.ts";
import { type ReleaseFlags, type ReleasePlace, readableRepository } from "./release-options.ts";
import { repeated } from "./repeated.ts";

/** Flags of `stillage release publish` for publishing in somebody else's repository. */
export interface PushFlags extends ReleaseFlags {
  readonly push?: string;
  readonly branch?: readonly string[];
  readonly sshOption?: readonly string[];
  readonly dryRun?: true;
}

export function addPushFlags(command: Command): Command {
  return command
    .option(
      "--push <DEST>",
      "Publish what is published here in the OSTree repository at ssh://[USER@]HOST[:PORT]/PATH or [USER@]HOST:PATH, by the ostree-receive there",
    )
    .option("--branch <NAME>", "With --push: only this branch; can be repeated", repeated)
    .option("--ssh-option <KEY=VALUE>", "With --push: an option of ssh_config(5); can be repeated", repeated)
    .option("--dry-run", "With --push: have the other side only say what it would do");
}

/** Errors: `invalid` for flags of a push where there is none: `--dry-run` least of all may be passed over. */
export function checkNoPush({ branch, sshOption, dryRun }: PushFlags): void {
  if (branch === undefined && sshOption === undefined && dryRun === undefined) return;
  throw new StillageError("invalid", "--branch, --ssh-option and --dry-run are for --push", {
    hint: "what is prepared is published as a whole",
  });
}

/** Pushes branches to another machine, and gives the exit status of its receiver. What it prints is ours. */
export async function pushReleases(
  destination: string,
  id: string | undefined,
  flags: PushFlags,
  { releases, signal }: ReleasePlace,
): Promise<number> {
  if (id !== undefined) {
    throw new StillageError("invalid", "what is prepared cannot be pushed before it is published", {
      hint: `\`stillage release publish ${id}\` first, then --push alone`,
    });
  }
  if (flags.json) {
    throw new StillageError("invalid", "--push and --json do not go together", {
      hint: "what is printed is what the other side says, and the exit status is its own",
    });
  }
  const to = parsePushDestination(destination);
  const { archive } = await readableRepository(releases, flags.repository);
  const there = await branchesOf(archive);
  if (there.length === 0) throw new StillageError("not-found", "nothing has been published here yet");
  // None named are all to the other side.
  const branches = flags.branch === undefined ? [] : checkBranches(flags.branch);
  for (const branch of branches) if (!there.includes(branch)) throw noBranch(branch, there);
  const ssh = (flags.sshOption ?? []).flatMap((option) => ["-o", option]);
  return pushBranches(archive.directory, branches, to, { ssh, dryRun: flags.dryRun === true, signal });
}
