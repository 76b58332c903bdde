import { resolve } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { isProblems } from "../../config/load.ts";
import { didYouMean } from "../../config/nearest.ts";
import { type Problem, showProblem } from "../../config/problem.ts";
import type { Dialect } from "../../project/dialect.ts";
import type { ClientConfiguration, ClientSources } from "../configuration/client-configuration.ts";
import { readClientConfiguration } from "../configuration/read-configuration.ts";
import type { LeftRemote } from "../connection/open-remotes.ts";

/** What a client works with. All can be left out: then it is what `stillage` would work with in the same directory. */
export interface ClientOptions {
  /** The project: in this directory or above it. Without it: of the working directory, if there is one. */
  readonly directory?: string | undefined;
  /** Servers in place of the user's; with BuildStream 2 those that the project recommends stay, unless they are ignored: names from Stillage's own file, URLs, or `url=URL,push=false,instance-name=NAME,…` as BuildStream has it. */
  readonly remotes?: readonly string[] | undefined;
  /** Leaves out what the project recommends. */
  readonly ignoreProjectRemotes?: boolean | undefined;
  /** The local cache in place of the configured one: a directory, which is made when something is written to it. */
  readonly cache?: string | undefined;
  /** Project options by their names, where remotes depend on them. */
  readonly projectOptions?: Readonly<Record<string, string>> | undefined;
  /** Whose configuration files these are; found out without it. */
  readonly buildstream?: Dialect | undefined;
  /** BuildStream's user configuration, where it is not the one that BuildStream finds. */
  readonly buildstreamConfig?: string | undefined;
  /** Stillage's own file of remotes, where it is not the one that `stillage` finds. */
  readonly clientConfig?: string | undefined;
  /** `HOME`, the `XDG_` variables and `STILLAGE_CLIENT_CONFIG` of it are looked at; that of the process unless it is given. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** A whole configuration: no file is read for one, and of the options above only those count that `bst` is called with, and `environment`. */
  readonly configuration?: ClientConfiguration | undefined;
  /** The installed BuildStream, for names of element files and for builds: a path, or a name that is looked for in PATH. `bst` unless it is given. */
  readonly bst?: string | undefined;
  /** Whether servers that do not answer are remembered for other processes, and not asked again before their time. True unless it is given. */
  readonly remembersUnreachable?: boolean | undefined;
  /** Called when a configured server cannot be used and is left out; once, until it can be used again. */
  readonly onRemoteLeft?: ((remote: LeftRemote) => void) | undefined;
}

const optionNames: Readonly<Record<keyof ClientOptions, true>> = {
  ...{ directory: true, remotes: true, ignoreProjectRemotes: true, cache: true, projectOptions: true },
  ...{ buildstream: true, buildstreamConfig: true, clientConfig: true, environment: true, configuration: true },
  ...{ bst: true, remembersUnreachable: true, onRemoteLeft: true },
};

/** Who writes JavaScript is told by no compiler. */
function checkNames(options: ClientOptions): void {
  const known = Object.keys(optionNames);
  const violations = Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => ({ field: name, description: `there is no such option${didYouMean(name, known)}` }));
  const [first] = violations;
  if (first === undefined) return;
  throw new StillageError("invalid", `openClient: ${first.field}: ${first.description}`, { violations });
}

/**
 * @internal What these options and all files come to. Errors: `invalid` for names of options that are none, and with all that is wrong with the files: each is one of `violations`, whose `field` is where it stands (`FILE:LINE:COLUMN`).
 */
export function configurationOf(options: ClientOptions): ClientConfiguration {
  checkNames(options);
  if (options.configuration !== undefined) return options.configuration;
  const read = readClientConfiguration(sourcesOf(options));
  if (isProblems(read)) throw wrongConfiguration(read);
  return read;
}

/** What a configuration is read from. */
function sourcesOf(options: ClientOptions): ClientSources {
  const workingDirectory = process.cwd();
  return {
    directory: resolve(workingDirectory, options.directory ?? "."),
    workingDirectory,
    environment: options.environment ?? process.env,
    dialect: options.buildstream,
    buildstreamConfig: options.buildstreamConfig,
    clientConfig: options.clientConfig,
    remotes: options.remotes ?? [],
    ignoreProjectRemotes: options.ignoreProjectRemotes === true,
    purpose: "all",
    cache: options.cache,
    options: Object.entries(options.projectOptions ?? {}),
  };
}

function wrongConfiguration(problems: readonly Problem[]): StillageError {
  const [first, ...others] = problems.map(showProblem);
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return new StillageError("invalid", `the configuration cannot be used: ${first}${more}`, {
    violations: problems.map(({ origin, message }) => ({ field: origin, description: message })),
  });
}
