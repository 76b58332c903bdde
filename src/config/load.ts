import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { bad, type Path } from "./check.ts";
import type { Config } from "./config.ts";
import { didYouMean, nearest } from "./nearest.ts";
import { byPosition, type Problem, prefix, showProblem } from "./problem.ts";
import { type Setting, settingKeys, settings, variablePrefix } from "./settings.ts";
import { readYamlFile, type YamlFile } from "./yaml-file.ts";

/** Read where no other file is named, and it is there. */
export const systemFile = "/etc/stillage/stillage.yaml";

/** Names the file, where no flag does. */
export const fileVariable = `${variablePrefix}CONFIG`;

/** What the command line says of a setting: one text, or for a list one for each time the flag is there. */
export interface FlagValue {
  /** As messages call it, such as `--quota`. */
  readonly origin: string;
  readonly texts: readonly string[];
}

/** Everything that can set something. */
export interface Sources {
  readonly flags: { readonly [K in keyof Config]?: FlagValue };
  /** The file named by `--config`. */
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The working directory, from which the paths of flags and environment are seen. */
  readonly folder: string;
  readonly systemFile: string | undefined;
}

export interface Loaded {
  readonly config: Config;
  /** Who said so: a flag, an environment variable, `FILE:LINE:COLUMN` or `default`. */
  readonly origins: { readonly [K in keyof Config]: string };
  /** The file that was read, if any. */
  readonly file: string | undefined;
}

/** A value that was said somewhere. */
interface Claim {
  readonly origin: string;
  readonly given: unknown;
  readonly folder: string;
  /** The keys that lead to the value where it was said. */
  readonly keys: Path;
  /** Where something inside the value was said. */
  readonly inside: (path: Path, ofKey?: boolean) => string;
}

/** What the sources say, also where something is wrong: what is right by itself can be looked at further. */
export interface Read {
  /** What could be understood. */
  readonly config: Partial<Config>;
  readonly origins: Partial<Loaded["origins"]>;
  readonly file: string | undefined;
  /** Ordered by where they are in the file. */
  readonly problems: readonly Problem[];
}

/** The settings of flags, environment, file and defaults, the first that says something winning; or everything that is wrong with any of them. */
export function loadConfig(sources: Sources): Loaded | readonly Problem[] {
  const { problems, config, origins, file } = readConfig(sources);
  if (problems.length > 0) return problems;
  return { config: config as Config, origins: origins as Loaded["origins"], file };
}

/** The same, with both: what can be understood and what is wrong. */
export function readConfig(sources: Sources): Read {
  const found = locateFile(sources);
  const read = found === undefined ? undefined : readYamlFile(found.path, found.origin);
  const problems: Problem[] = [...misspeltVariables(sources.environment), ...(isProblems(read) ? read : [])];
  const file = isProblems(read) ? undefined : read;
  if (file !== undefined) problems.push(...unknownKeys(file));

  const config: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const key of settingKeys) {
    const setting = settings[key] as Setting<unknown>;
    const values = claims(key, setting, sources, file).map((claim) => ({
      claim,
      value: judge(setting, claim, problems),
    }));
    const [first] = values;
    if (first === undefined) continue;
    origins[key] = first.claim.origin;
    config[key] = first.value;
  }
  problems.push(...contradictions(config as Partial<Config>, origins));
  return { config: config as Partial<Config>, origins, file: file?.path, problems: problems.toSorted(byPosition) };
}

/** What is right by itself, and not together. */
function contradictions({ highMark, lowMark }: Partial<Config>, origins: Record<string, string>): Problem[] {
  if (highMark === undefined || lowMark === undefined || lowMark < highMark) return [];
  const blamed = origins.lowMark === "default" ? origins.highMark : origins.lowMark;
  return [{ origin: blamed ?? "", message: `low-mark is ${lowMark}%, which is not below high-mark, ${highMark}%` }];
}

/** What is served where nothing is set; paths are seen from `folder`. */
export function defaultConfig(folder: string): Config {
  const loaded = loadConfig({ flags: {}, file: undefined, environment: {}, folder, systemFile: undefined });
  if (isProblems(loaded)) throw new Error(`the defaults are wrong: ${loaded.map(showProblem).join("; ")}`);
  return loaded.config;
}

export function isProblems<T>(outcome: T | readonly Problem[]): outcome is readonly Problem[] {
  return Array.isArray(outcome);
}

function locateFile({ file, environment, systemFile }: Sources): { path: string; origin: string } | undefined {
  if (file !== undefined) return { path: file, origin: "--config" };
  const named = environment[fileVariable];
  if (named !== undefined && named !== "") return { path: named, origin: fileVariable };
  return systemFile !== undefined && existsSync(systemFile) ? { path: systemFile, origin: "configuration" } : undefined;
}

/** Variables that are nearly ours. What only begins like ours is somebody else's: Kubernetes names a service's ports so. */
function misspeltVariables(environment: Sources["environment"]): Problem[] {
  const known = [fileVariable, ...settingKeys.map((key) => settings[key].variable)];
  return Object.keys(environment)
    .filter((name) => name.startsWith(variablePrefix) && !known.includes(name) && environment[name] !== "")
    .map((name) => ({ name, meant: nearest(name, known) }))
    .filter(({ meant }) => meant !== undefined)
    .map(({ name, meant }) => ({ origin: name, message: `there is no such variable; did you mean ${meant}?` }));
}

function unknownKeys(file: YamlFile): Problem[] {
  const known = settingKeys.map((key) => settings[key].name);
  return Object.keys(file.content)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      origin: file.position([name], true),
      message: `${name}: there is no such setting${didYouMean(name, known)}`,
    }));
}

/** Everything that was said of a setting, the strongest first, and last its default. */
function claims(key: keyof Config, setting: Setting<unknown>, sources: Sources, file: YamlFile | undefined): Claim[] {
  const { folder, environment } = sources;
  const all: Claim[] = [];
  const flag = sources.flags[key];
  if (flag !== undefined) {
    const { origin, texts } = flag;
    all.push({ origin, given: setting.list ? texts : texts[0], folder, keys: [], inside: () => origin });
  }
  const text = environment[setting.variable];
  if (text !== undefined && text !== "") {
    const given = setting.list ? text.trim().split(/\s+/) : text;
    all.push({ origin: setting.variable, given, folder, keys: [], inside: () => setting.variable });
  }
  if (file !== undefined && Object.hasOwn(file.content, setting.name)) {
    const position = (path: Path, ofKey = false): string => file.position([setting.name, ...path], ofKey);
    const given = file.content[setting.name];
    const itsFolder = dirname(resolve(folder, file.path));
    all.push({ origin: position([]), given, folder: itsFolder, keys: [setting.name], inside: position });
  }
  all.push({ origin: "default", given: setting.fallback, folder, keys: [], inside: () => "default" });
  return all;
}

/** Checks a claim; what is wrong becomes problems. */
function judge(setting: Setting<unknown>, { given, folder, keys, inside }: Claim, problems: Problem[]): unknown {
  const value = setting.check(given, [], ({ path, message, onKey }) => {
    problems.push({ origin: inside(path, onKey), message: prefix([...keys, ...path]) + message });
  });
  return value === bad ? undefined : setting.locate(value, folder);
}
