import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ClientConfiguration, ClientSources, Purpose } from "../client/configuration/client-configuration.ts";
import { clientConfigVariable } from "../client/configuration/own-file.ts";
import { readClientConfiguration } from "../client/configuration/read-configuration.ts";
import type { BstCall } from "../client/library/bst-elements.ts";
import { isProblems } from "../config/load.ts";
import { showProblem } from "../config/problem.ts";
import { type Dialect, dialects } from "../project/dialect.ts";
import { addUse } from "./command-use.ts";
import { refuseEmptyValues } from "./empty-values.ts";
import { cacheProblem } from "./named-cache.ts";
import { repeated } from "./repeated.ts";

/** What a client's command line says of its configuration. */
export interface ClientFlags {
  readonly directory?: string;
  readonly buildstream?: Dialect;
  readonly buildstreamConfig?: string;
  readonly clientConfig?: string;
  readonly remote?: readonly string[];
  readonly ignoreProjectRemotes?: true;
  readonly cache?: string;
  readonly option?: readonly (readonly [name: string, value: string])[];
}

const remoteNote =
  "REMOTE: a name from Stillage's own file, a URL, or url=URL with any of push=false, type=index|storage|all, instance-name=NAME, server-cert=FILE, client-key=FILE, client-cert=FILE and access-token=FILE, divided by commas.";

/** Gives a command the flags that decide which caches it works with. */
export function addClientOptions(command: Command): Command {
  command
    .option("-C, --directory <DIR>", "The project, which is in it or above it (default: the working directory)")
    .option(
      "--remote <REMOTE>",
      "Use this remote in place of the user's; with BuildStream 2 those that the project recommends stay, for pushes too, unless --ignore-project-remotes. Can be repeated.",
      repeated,
    )
    .option("--ignore-project-remotes", "Leave out the remotes that the project recommends")
    .option("--cache <DIR>", "BuildStream's local cache (default: what its configuration says)")
    .option(
      "-o, --option <NAME=VALUE>",
      "A project option, where remotes depend on it. Can be repeated.",
      projectOption,
    )
    .option("--buildstream-config <FILE>", "BuildStream's user configuration (default: as BuildStream finds it)")
    .addOption(
      new Option(
        "--buildstream <GENERATION>",
        "Whose files these are (default: as the project and the files tell)",
      ).choices(dialects),
    )
    .option(
      "--client-config <FILE>",
      `Stillage's own file of remotes (default: $XDG_CONFIG_HOME/stillage/client.yaml; ${clientConfigVariable})`,
    );
  return addUse(refuseEmptyValues(command), { notes: [remoteNote] });
}

/** What these flags, the environment and all files come to. Problems are printed, and then there is nothing: the exit status is `usage`. */
export function clientConfiguration(flags: ClientFlags, purpose: Purpose = "all"): ClientConfiguration | undefined {
  const read = readClientConfiguration(clientSources(flags, purpose));
  const problems = isProblems(read) ? read.map(showProblem) : [cacheProblem(flags, read) ?? []].flat();
  if (!isProblems(read) && problems.length === 0) return read;
  for (const problem of problems) process.stderr.write(`stillage: ${problem}\n`);
  return undefined;
}

/** What these flags and the environment say of where the configuration is. */
function clientSources(flags: ClientFlags, purpose: Purpose): ClientSources {
  const workingDirectory = process.cwd();
  return {
    directory: resolve(workingDirectory, flags.directory ?? "."),
    workingDirectory,
    environment: process.env,
    dialect: flags.buildstream,
    buildstreamConfig: flags.buildstreamConfig,
    clientConfig: flags.clientConfig,
    remotes: flags.remote ?? [],
    ignoreProjectRemotes: flags.ignoreProjectRemotes === true,
    purpose,
    cache: flags.cache,
    options: flags.option ?? [],
  };
}

/** How `bst` is called where names are element files. */
export function bstOf({ buildstreamConfig, option }: ClientFlags): BstCall {
  return { program: "bst", userConfiguration: buildstreamConfig, options: option ?? [] };
}

function projectOption(text: string, before: ClientFlags["option"]): ClientFlags["option"] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It is not NAME=VALUE.");
  return [...(before ?? []), [name, value]];
}
