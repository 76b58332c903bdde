import { resolve } from "node:path";
import type { Command } from "commander";
import { mirrorReleases, publicSource } from "../release/mirror-releases.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanSize } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { showLine } from "./progress-line.ts";
import { addKeyFlags, givenKeys, type KeyFlags } from "./release-key-flags.ts";
import { addRepositoryFlags, type ReleaseFlags, repositoryMeant, withReleases, writerOf } from "./release-options.ts";

interface Flags extends ReleaseFlags, KeyFlags {
  readonly trustNewKeys?: true;
  readonly force?: true;
  readonly remove?: true;
}

/** `stillage release mirror SOURCE`. */
export function releaseMirrorCommand(end: (status: number) => void): Command {
  const command = newCommand("mirror", "stillage")
    .description("Bring all releases of another repository, with what lies beside them")
    .argument("<SOURCE>", "The other repository's public directory: a URL, or a directory")
    .option("--remove", "Also remove what the source has not any more")
    .option("--trust-new-keys", "Also trust and publish whatever keys the source has")
    .option("--force", "Also move branches to what does not follow on what they are at");
  addUse(command, {
    notes: [
      "List of branches and commits have to be signed by a key that is given, or that the mirror has in its directory of keys. Where it has none, it takes those of the source the first time, and says which they are.",
    ],
    examples: [
      {
        says: "Bring what is new, every night",
        run: "stillage release mirror https://example.org/releases/images --repository images",
      },
    ],
  });
  return addRepositoryFlags(addKeyFlags(command)).action(async (given: string) => {
    const flags = command.opts<Flags>();
    const work = withReleases(flags, async ({ releases, output, signal }) => {
      const repository = repositoryMeant(releases, flags.repository);
      const source = publicSource(/^https?:\/\//i.test(given) ? given : resolve(given), signal);
      using writer = await writerOf(repository, signal);
      let line = "asking for the list";
      using _line = showLine(() => line, process.stderr);
      const done = await mirrorReleases(writer, source, {
        remove: flags.remove === true,
        force: flags.force === true,
        trustNewKeys: flags.trustNewKeys === true,
        keys: await givenKeys(flags),
        onProgress: ({ objects, bytes, pending }) => {
          line = `${counted(objects, "object")}, ${humanSize(bytes)}; ${pending} more are known`;
        },
      });
      const { changedBranches, objects, bytes, files } = done;
      const text = `${counted(changedBranches, "branch").replace(/branchs$/, "branches")} changed, ${counted(objects, "object")} (${humanSize(bytes)}) and ${counted(files, "file")} beside releases came\n`;
      await output.write(
        flags.json ? `${JSON.stringify({ repository: repository.name, ...done }, undefined, 2)}\n` : text,
      );
      return exitStatus.done;
    });
    end(await work);
  });
}
