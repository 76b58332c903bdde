import { rmSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { serverEntry } from "../configuration/server-entry.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { messageFormat } from "./bst-output.ts";

/** Who configures BuildStream by hand has some kilobytes. */
const maxConfigurationBytes = 4 << 20;

/** User configurations for BuildStream in files, which disposing removes. */
export interface BstConfigurations extends AsyncDisposable {
  /** As the user has it, without servers for artifacts: they are asked by us, and a dead one would cost every `bst` half a minute. Those for sources are the user's and the projects' until `useSourceCaches`. */
  readonly building: string;
  /** Without those for sources, too: whoever only loads a project needs none. */
  readonly loading: string;
  readonly settings: BuildSettings;
  /** Gives builds these servers for sources, by the names of projects, and no others. No `bst` may be reading the file meanwhile. Errors: those of the file system. */
  useSourceCaches(ofProjects: SourceCachesOfProjects): Promise<void>;
}

type SourceCachesOfProjects = ReadonlyMap<string, readonly RemoteSpec[]>;

/** What the user's configuration says of builds. */
export interface BuildSettings {
  /** `build: dependencies`. */
  readonly dependencies: "none" | "run" | "all";
  /** `build: retry-failed`. */
  readonly retryFailed: boolean;
  /** `cache: pull-buildtrees`. */
  readonly pullBuildtrees: boolean;
  /** Whether builds of any project are not to be strict. */
  readonly nonStrict: boolean;
}

type Mapping = { [key: string]: unknown };

/**
 * Writes configurations that differ from the user's in that alone, and in the cache directory. `file` is the user's own; what it has is not checked: `bst` does that. A crash
 * leaves a directory with two small files among the temporary ones. Errors: `invalid` for a file that is no YAML.
 */
export async function writeBstConfigurations(
  file: string | undefined,
  cacheDirectory: string,
): Promise<BstConfigurations> {
  const user = file === undefined ? {} : await readConfiguration(file);
  if (mappingOf(user.cache)["storage-service"] !== undefined) {
    throw new StillageError("unsupported", `${file}: with a storage-service, artifacts are not in the local cache`, {
      hint: "`bst build` works with it; builds that are driven from here need the local cache",
    });
  }
  user.cachedir = cacheDirectory;
  const folder = await mkdtemp(join(tmpdir(), "stillage-bst-"));
  // Whoever is in a hurry ends the process without disposing of anything.
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const [building, loading] = [join(folder, "building.conf"), join(folder, "loading.conf")];
  const forBuilds = withMessages(withoutServers(user, ["artifacts"]));
  await writeFile(building, text(forBuilds));
  await writeFile(loading, text(withoutServers(user, ["artifacts", "source-caches"])));
  return {
    building,
    loading,
    settings: settingsOf(user),
    async useSourceCaches(ofProjects) {
      await writeFile(building, text(withSourceCaches(forBuilds, ofProjects))).catch((error) => {
        throw fromFileSystem(error, `writing ${building}`);
      });
    },
    [Symbol.asyncDispose]: async () => {
      process.off("exit", remove);
      remove();
    },
  };
}

/** The configuration with no servers under these keys, neither of its own nor of projects. */
export function withoutServers(user: Mapping, keys: readonly string[]): Mapping {
  const none = { "override-project-caches": "true", servers: [] };
  const cleared = Object.fromEntries(keys.map((key) => [key, none]));
  const own = mappingOf(user.projects);
  const projects = Object.fromEntries(
    Object.entries(own).map(([name, value]) => {
      const kept = Object.entries(mappingOf(value)).filter(([key]) => !keys.includes(key));
      return [name, Object.fromEntries(kept)];
    }),
  );
  return { ...user, ...cleared, ...(Object.keys(own).length > 0 && { projects }) };
}

/**
 * The configuration with these caches of sources alone: each project's stand at its name, as what is said there goes before what is said for all; and that is none, as an empty list would else be one that says
 * nothing.
 */
export function withSourceCaches(user: Mapping, ofProjects: SourceCachesOfProjects): Mapping {
  const key = "source-caches";
  const cleared = withoutServers(user, [key]);
  const projects = { ...mappingOf(cleared.projects) };
  for (const [name, specs] of ofProjects) {
    const servers = { "override-project-caches": "true", servers: specs.map(serverEntry) };
    projects[name] = { ...mappingOf(projects[name]), [key]: servers };
  }
  return { ...cleared, projects };
}

/** What `bst` takes for no value of a setting, it says itself. */
function settingsOf(user: Mapping): BuildSettings {
  const [build, cache] = [mappingOf(user.build), mappingOf(user.cache)];
  const { dependencies } = build;
  const known = dependencies === "none" || dependencies === "all" ? dependencies : "run";
  const isTrue = (value: unknown): boolean => value === "True" || value === "true";
  const overrides = Object.values(mappingOf(user.projects)).map(mappingOf);
  return {
    nonStrict: overrides.some(({ strict }) => strict === "False" || strict === "false"),
    dependencies: known,
    retryFailed: isTrue(build["retry-failed"]),
    pullBuildtrees: isTrue(cache["pull-buildtrees"]),
  };
}

/** All messages, at once, in our format; with a line of the log of what failed, which tells that it has. */
function withMessages(user: Mapping): Mapping {
  const ours = {
    verbose: "true",
    debug: "false",
    "throttle-ui-updates": "false",
    "error-lines": "1",
    "message-format": messageFormat,
  };
  return { ...user, logging: { ...mappingOf(user.logging), ...ours } };
}

async function readConfiguration(file: string): Promise<Mapping> {
  const bytes = await readFile(file).catch((error) => {
    throw fromFileSystem(error, `reading ${file}`);
  });
  if (bytes.length > maxConfigurationBytes) {
    throw new StillageError(
      "invalid",
      `${file} has ${bytes.length} bytes, and up to ${maxConfigurationBytes} are read`,
    );
  }
  const document = parseDocument(bytes.toString(), { schema: "failsafe", logLevel: "silent" });
  try {
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    return { ...mappingOf(document.toJS({ maxAliasCount: 0 })) };
  } catch (error) {
    throw new StillageError("invalid", `${file}: ${(error as Error).message}`);
  }
}

const mappingOf = (value: unknown): Mapping =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Mapping) : {};

/** BuildStream takes all scalars for text. */
const text = (configuration: Mapping): string => stringify(configuration, { aliasDuplicateObjects: false });
