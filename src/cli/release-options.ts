import type { Command } from "commander";
import { StillageError } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import { isProblems, loadConfig, systemFile } from "../config/load.ts";
import { showProblem } from "../config/problem.ts";
import { settings } from "../config/settings.ts";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import {
  listReleaseRepositories,
  openReleaseRepository,
  type ReleaseRepository,
} from "../release/release-repository.ts";
import { ReleaseWriter } from "../release/release-writer.ts";
import { openSigning } from "../release/signing.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { publicly } from "./file-masks.ts";
import { interruptible } from "./interruptible.ts";
import { type Output, standardOutput } from "./output.ts";
import { configText } from "./store-of.ts";
import { version } from "./version.ts";

/** What names a release repository on the command line. */
export interface ReleaseFlags {
  readonly releases?: string;
  readonly repository?: string;
  readonly config?: string;
  readonly json?: true;
}

/** Gives a command the flags that name the directory of release repositories. */
export function addReleasesFlags(command: Command): Command {
  return addUse(command, { see: "docs/RELEASES.md" })
    .option(
      "--releases <DIR>",
      `The directory of the release repositories (default: what the configuration says; ${settings.releases.variable})`,
    )
    .option("--config <FILE>", configText)
    .option("--json", "Print the result as JSON");
}

/** Gives a command the flags that name one repository. */
export function addRepositoryFlags(command: Command): Command {
  return addReleasesFlags(
    command.option("--repository <NAME>", "The release repository (default: the only one there is)"),
  );
}

/** What a release command works with. */
export interface ReleasePlace {
  readonly config: Config;
  /** The directory of the release repositories, absolute. */
  readonly releases: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Runs a command's work with what flags, environment and configuration say, and gives the exit status; failures are printed. */
export async function withReleases(
  flags: ReleaseFlags & { readonly store?: string },
  work: (place: ReleasePlace) => Promise<number>,
): Promise<number> {
  const flag = (name: "releases" | "store") => {
    const text = flags[name];
    return text === undefined ? {} : { [name]: { origin: `--${name}`, texts: [text] } };
  };
  const given = { ...flag("releases"), ...flag("store") };
  const environment = process.env;
  const loaded = loadConfig({ flags: given, file: flags.config, environment, folder: process.cwd(), systemFile });
  if (isProblems(loaded)) {
    for (const problem of loaded) process.stderr.write(`stillage: ${showProblem(problem)}\n`);
    return exitStatus.usage;
  }
  const { config } = loaded;
  return interruptible(async (signal) => {
    if (config.releases === undefined) {
      throw new StillageError("invalid", "the directory of the release repositories is not known", {
        hint: `name it with --releases DIR, ${settings.releases.variable}, or \`releases\` in the configuration`,
      });
    }
    process.umask(publicly);
    return work({ config, releases: config.releases, output: standardOutput(), signal });
  }, "stopped");
}

/** The repository that is meant: the one named, or the only one. Errors: `invalid`, `not-found`. */
export function repositoryMeant(releases: string, name: string | undefined): ReleaseRepository {
  if (name !== undefined) return openReleaseRepository(releases, name);
  const [only, ...others] = listReleaseRepositories(releases);
  if (only === undefined) {
    throw new StillageError("not-found", `there is no release repository in ${releases}`, {
      hint: "`stillage release init NAME` makes one",
    });
  }
  if (others.length === 0) return openReleaseRepository(releases, only);
  throw new StillageError("invalid", "there are several release repositories", {
    hint: `name one with --repository: ${[only, ...others].slice(0, 10).join(", ")}`,
  });
}

/** A repository to read from. */
export async function readableRepository(
  releases: string,
  name: string | undefined,
): Promise<{ readonly repository: ReleaseRepository; readonly archive: ArchiveRepository }> {
  const repository = repositoryMeant(releases, name);
  return { repository, archive: await ArchiveRepository.open(repository.layout.archive) };
}

/** A repository to write to, alone; warnings are printed. The caller disposes of it. */
export async function writerOf(repository: ReleaseRepository, signal: AbortSignal): Promise<ReleaseWriter> {
  return ReleaseWriter.open(repository, {
    signing: await openSigning(repository),
    versions: { stillage: version },
    signal,
    warn: (sentence) => process.stderr.write(`stillage: ${sentence}\n`),
  });
}
