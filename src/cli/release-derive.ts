import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { type Derivation, endOfLifeOf, prepareDerived, rollbackOf } from "../release/derive.ts";
import { publishOrDrop } from "../release/publish.ts";
import { checkBranch } from "../release/release-names.ts";
import type { ReleaseWriter } from "../release/release-writer.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { addRepositoryFlags, type ReleaseFlags, repositoryMeant, withReleases, writerOf } from "./release-options.ts";
import { parseTime, timeOf } from "./release-request.ts";

interface DeriveFlags extends ReleaseFlags {
  readonly subject?: string;
  readonly body?: string;
  readonly timestamp?: number;
  readonly prepare?: true;
}

interface RollbackFlags extends DeriveFlags {
  readonly to?: string;
}

interface EndOfLifeFlags extends DeriveFlags {
  readonly message: string;
  readonly rebase?: string;
}

/** `stillage release rollback BRANCH`. */
export function releaseRollbackCommand(end: (status: number) => void): Command {
  const command = newCommand("rollback", "stillage")
    .description("Bring back an older release: a new commit of its tree, on top of the branch")
    .argument("<BRANCH>", "The branch")
    .option("--to <COMMIT|VERSION>", "What to bring back (default: what was there before what is there)");
  addUse(command, {
    examples: [
      { says: "Bring back what was there before", run: "stillage release rollback stable" },
      { says: "Bring back a certain version", run: "stillage release rollback stable --to 24.08" },
    ],
  });
  return addDeriveFlags(command).action(async (branch: string) => {
    const flags = command.opts<RollbackFlags>();
    end(await derive(flags, (writer) => rollbackOf(writer, checkBranch(branch), flags.to, wordsOf(flags))));
  });
}

/** `stillage release end-of-life BRANCH`. */
export function releaseEndOfLifeCommand(end: (status: number) => void): Command {
  const command = newCommand("end-of-life", "stillage")
    .description("Say that nothing follows on a branch, and where to go on")
    .argument("<BRANCH>", "The branch")
    .requiredOption("--message <TEXT>", "What its users are told")
    .option("--rebase <BRANCH>", "The branch to go on with");
  addUse(command, {
    examples: [
      {
        says: "Send the users of one branch to another",
        run: 'stillage release end-of-life old --message "Please move to stable" --rebase stable',
      },
    ],
  });
  return addDeriveFlags(command).action(async (branch: string) => {
    const flags = command.opts<EndOfLifeFlags>();
    const rebase = flags.rebase === undefined ? undefined : checkBranch(flags.rebase);
    end(
      await derive(flags, (writer) =>
        endOfLifeOf(writer, checkBranch(branch), { message: flags.message, rebase }, wordsOf(flags)),
      ),
    );
  });
}

function addDeriveFlags(command: Command): Command {
  const described = command
    .option("--subject <LINE>", "The commit's first line")
    .option("--body <TEXT>", "The rest of the commit's message")
    .option(
      "--timestamp <TIME>",
      "Seconds since 1970, or as 2024-08-01T12:00:00Z (default: SOURCE_DATE_EPOCH, or now)",
      parseTime,
    )
    .option("--prepare", "Leave it to be signed elsewhere, and publish nothing");
  return addRepositoryFlags(described);
}

function wordsOf({ subject, body = "", timestamp }: DeriveFlags) {
  return { subject, body, timestamp: timeOf(timestamp) };
}

async function derive(flags: DeriveFlags, make: (writer: ReleaseWriter) => Promise<Derivation>): Promise<number> {
  return withReleases(flags, async ({ releases, output, signal }) => {
    const repository = repositoryMeant(releases, flags.repository);
    using writer = await writerOf(repository, signal);
    const derivation = await make(writer);
    const keep = flags.prepare === true;
    const prepared = await prepareDerived(writer, derivation, { keep, now: systemClock() });
    if (!keep) await publishOrDrop(writer, prepared);
    const [{ branch, commit, parent } = { branch: "", commit: "", parent: "" }] = prepared.commits;
    const outcome = keep ? "prepared" : "published";
    const { subject, from } = derivation;
    const told = { repository: repository.name, outcome, branch, commit, parent, subject, treeOf: from.commit };
    const line = `${branch}: ${commit} ${outcome}${keep ? ` as ${prepared.id}` : ""}: ${subject}`;
    await output.write(
      flags.json
        ? `${JSON.stringify({ ...told, prepared: keep ? prepared.id : null }, undefined, 2)}\n`
        : `${printable(line)}\n`,
    );
    return exitStatus.done;
  });
}
