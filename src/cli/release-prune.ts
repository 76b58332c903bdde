import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../base/clock.ts";
import { bad } from "../config/check.ts";
import { pruneReleases } from "../release/prune-releases.ts";
import { type Keep, keep as keepRule, showKeep } from "../release/repository-settings.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanSize, printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { addRepositoryFlags, type ReleaseFlags, repositoryMeant, withReleases, writerOf } from "./release-options.ts";

interface Flags extends ReleaseFlags {
  readonly keep?: Keep;
  readonly dryRun?: true;
}

/** `stillage release prune`. */
export function releasePruneCommand(end: (status: number) => void): Command {
  const command = newCommand("prune", "stillage")
    .description("Remove releases that the repository need not keep, and objects that nothing uses")
    .option(
      "--keep <RULE>",
      "What to leave of each branch: all, `last N` or `younger than TIME` (default: what the repository says)",
      parseKeep,
    )
    .option("--dry-run", "Say what would go, and remove nothing");
  addUse(command, { examples: [{ says: "What would go", run: 'stillage release prune --keep "last 5" --dry-run' }] });
  return addRepositoryFlags(command).action(async () => {
    const flags = command.opts<Flags>();
    const work = withReleases(flags, async ({ releases, output, signal }) => {
      const repository = repositoryMeant(releases, flags.repository);
      using writer = await writerOf(repository, signal);
      const rule = flags.keep ?? repository.settings.keep;
      const dryRun = flags.dryRun === true;
      const { removed, objects, bytes } = await pruneReleases(writer, rule, { dryRun, now: systemClock() });
      const gone = removed.map(({ branch, commit, version }) => ({ branch, commit, version: version ?? null }));
      if (flags.json) {
        const told = { repository: repository.name, keep: showKeep(rule), dryRun, removed: gone, objects, bytes };
        await output.write(`${JSON.stringify(told, undefined, 2)}\n`);
        return exitStatus.done;
      }
      const what = dryRun ? "would be removed" : "removed";
      for (const { branch, commit, version } of gone) {
        await output.write(`${printable(version === null ? branch : `${branch} ${version}`)}: ${commit} ${what}\n`);
      }
      await output.write(
        `${counted(gone.length, "release")} and ${counted(objects, "object")}, ${humanSize(bytes)}, ${what}\n`,
      );
      return exitStatus.done;
    });
    end(await work);
  });
}

function parseKeep(text: string): Keep {
  let problem = "";
  const rule = keepRule(text, [], ({ message }) => {
    problem = message;
  });
  if (rule === bad) throw new InvalidArgumentError(problem);
  return rule;
}
