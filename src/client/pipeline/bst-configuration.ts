import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { fromFileSystem, StillageError } from "../../base/errors.ts";

/** Who configures BuildStream by hand has some kilobytes. */
const maxConfigurationBytes = 4 << 20;

/** User configurations for BuildStream in files, which disposing removes. */
export interface BstConfigurations extends AsyncDisposable {
  /** As the user has it, without servers for artifacts: they are asked by us, and a dead one would cost every `bst` half a minute. */
  readonly building: string;
  /** Without those for sources, too: whoever only loads a project needs none. */
  readonly loading: string;
}

type Mapping = { [key: string]: unknown };

/** Where BuildStream 2 looks for the user's configuration; `undefined` where there is none. */
export function userConfigurationFile(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config");
  return ["buildstream2.conf", "buildstream.conf"].map((name) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Writes configurations that differ from the user's in that alone, and in the cache directory where one is named. `file` is the user's own; what it has is not checked: `bst` does that. A crash
 * leaves a directory with two small files among the temporary ones. Errors: `invalid` for a file that is no YAML.
 */
export async function writeBstConfigurations(
  file: string | undefined,
  cacheDirectory: string | undefined,
): Promise<BstConfigurations> {
  const user = file === undefined ? {} : await readConfiguration(file);
  if (cacheDirectory !== undefined) user.cachedir = cacheDirectory;
  const folder = await mkdtemp(join(tmpdir(), "stillage-bst-"));
  const [building, loading] = [join(folder, "building.conf"), join(folder, "loading.conf")];
  await writeFile(building, text(withoutServers(user, ["artifacts"])));
  await writeFile(loading, text(withoutServers(user, ["artifacts", "source-caches"])));
  return { building, loading, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
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
  const [problem] = document.errors;
  if (problem !== undefined) throw new StillageError("invalid", `${file}: ${problem.message}`);
  return { ...mappingOf(document.toJS({ maxAliasCount: 0 })) };
}

const mappingOf = (value: unknown): Mapping =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Mapping) : {};

/** BuildStream takes all scalars for text. */
const text = (configuration: Mapping): string => stringify(configuration, { aliasDuplicateObjects: false });
