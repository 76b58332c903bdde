import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { isProblems } from "../config/load.ts";
import { nearest } from "../config/nearest.ts";
import type { Problem } from "../config/problem.ts";
import { type Dialect, type Generation, generationOf } from "./dialect.ts";
import { type MapNode, type Node, valueAt } from "./node.ts";
import { type Environment, expandPath, xdgDirectory } from "./paths.ts";
import { readNodes } from "./read-nodes.ts";
import type { ValueReader } from "./read-value.ts";

const commonKeys = [
  "sourcedir",
  "builddir",
  "artifactdir",
  "logdir",
  "scheduler",
  "artifacts",
  "logging",
  "projects",
  "cache",
  "build",
];
const laterKeys = [...commonKeys, "cachedir", "source-caches", "workspacedir", "remote-execution"];
const knownKeys = {
  "1": commonKeys,
  "1.9": [...laterKeys, "prompt"],
  "2": [...laterKeys, "fetch", "track"],
} as const;

/** Keys of `projects: NAME:`. */
const overrideKeys = {
  "1": ["artifacts", "options", "strict", "default-mirror"],
  "2": ["artifacts", "source-caches", "options", "strict", "default-mirror", "remote-execution", "mirrors"],
} as const;

const schedulerKeys = ["on-error", "fetchers", "builders", "pushers", "network-retries"];

/** What BuildStream does where nothing is set. */
const schedulerDefaults = { fetchers: 10, builders: 4, pushers: 4, networkRetries: 2, onError: "quit" } as const;

export interface SchedulerSettings {
  readonly fetchers: number;
  readonly builders: number;
  readonly pushers: number;
  readonly networkRetries: number;
  readonly onError: "quit" | "continue" | "terminate";
}

/** What BuildStream's user configuration says, or what holds where there is none. */
export interface UserConfiguration {
  /** `undefined` where there is no file. */
  readonly path: string | undefined;
  /** `cachedir`, or `artifactdir` of BuildStream 1. Absolute. */
  readonly directory: string;
  readonly scheduler: SchedulerSettings;
  readonly artifacts: Node | undefined;
  readonly sourceCaches: Node | undefined;
  /** `projects: NAME:` of the project. */
  readonly override: MapNode | undefined;
  /** What is taken and not heeded, and may have been meant otherwise. */
  readonly notes: readonly Problem[];
}

/** A user configuration as it stands there. */
export interface UserFile {
  readonly path: string;
  readonly root: MapNode;
}

/** The user configuration that BuildStream of a generation reads; `undefined` where there is none. `named` is the one that the command line names. */
export function findUserFile(
  generation: Generation,
  named: string | undefined,
  workingDirectory: string,
  environment: Environment,
): UserFile | undefined | readonly Problem[] {
  const folder = xdgDirectory("XDG_CONFIG_HOME", environment);
  const paths = [`buildstream${generation}.conf`, "buildstream.conf"].map((name) => join(folder, name));
  const path = named === undefined ? paths.find((each) => existsSync(each)) : resolve(workingDirectory, named);
  if (path === undefined) return undefined;
  const root = readNodes(path, named === undefined ? path : "--buildstream-config", generation === "1");
  return isProblems(root) ? root : { path, root };
}

/** Whose user configuration it is that somebody has who is in no project: by the names of the files that there are, else by what is in the one. */
export function guessGeneration(
  named: string | undefined,
  workingDirectory: string,
  environment: Environment,
): Generation {
  const folder = xdgDirectory("XDG_CONFIG_HOME", environment);
  const there = (name: string): boolean => existsSync(join(folder, name));
  if (named === undefined && there("buildstream2.conf")) return "2";
  if (named === undefined && there("buildstream1.conf")) return "1";
  const file = findUserFile("1", named, workingDirectory, environment);
  if (file === undefined || isProblems(file)) return "2";
  const { entries } = file.root;
  if (entries.has("artifactdir") || entries.has("builddir")) return "1";
  const artifacts = valueAt(file.root, "artifacts");
  const flat = artifacts?.kind === "list" || (artifacts?.kind === "map" && artifacts.entries.has("url"));
  return flat && !entries.has("cachedir") ? "1" : "2";
}

/** What a user configuration says, for a project where there is one. */
export function readUserConfiguration(
  file: UserFile | undefined,
  dialect: Dialect,
  project: string | undefined,
  environment: Environment,
  reader: ValueReader,
): UserConfiguration {
  const root: MapNode = file?.root ?? { kind: "map", at: "", entries: new Map() };
  const generation = generationOf(dialect);
  checkKeys(root, dialect, reader);
  const projects = reader.map(root, "projects");
  for (const [name, { at, value }] of projects?.entries ?? []) {
    if (value.kind === "map") reader.keys(value, overrideKeys[generation]);
    else reader.report(at, `projects.${name}: a mapping goes here`);
  }
  const override = project === undefined ? undefined : projects && valueAt(projects, project);
  return {
    path: file?.path,
    directory: directoryOf(root, generation, environment, reader),
    scheduler: readScheduler(reader.map(root, "scheduler"), generation, reader),
    artifacts: valueAt(root, "artifacts"),
    sourceCaches: valueAt(root, "source-caches"),
    override: override?.kind === "map" ? override : undefined,
    notes: project === undefined || projects === undefined ? [] : misspelt(projects, project),
  };
}

/** Names of other projects are fine; one that is nearly this one's is more likely meant to be it, where nothing else is. */
function misspelt({ entries }: MapNode, project: string): readonly Problem[] {
  const near = entries.has(project) ? undefined : nearest(project, [...entries.keys()]);
  const entry = near === undefined ? undefined : entries.get(near);
  if (entry === undefined) return [];
  return [{ origin: entry.at, message: `projects.${near} is not for this project, which is called ${project}` }];
}

function checkKeys(root: MapNode, dialect: Dialect, reader: ValueReader): void {
  reader.keys(root, knownKeys[dialect]);
  if (dialect === "1") return;
  for (const key of ["builddir", "artifactdir"]) {
    const entry = root.entries.get(key);
    if (entry !== undefined) reader.report(entry.at, `${key}: BuildStream 2 has cachedir in place of it`);
  }
}

function directoryOf(root: MapNode, generation: Generation, environment: Environment, reader: ValueReader): string {
  const key = generation === "1" ? "artifactdir" : "cachedir";
  const fallback = join(
    xdgDirectory("XDG_CACHE_HOME", environment),
    "buildstream",
    ...(generation === "1" ? ["artifacts"] : []),
  );
  const text = reader.text(root, key);
  if (text === undefined) return fallback;
  const path = expandPath(text, environment);
  if (isAbsolute(path)) return path;
  reader.report(valueAt(root, key)?.at ?? "", `${key}: ${JSON.stringify(text)} is not an absolute path`);
  return fallback;
}

function readScheduler(map: MapNode | undefined, generation: Generation, reader: ValueReader): SchedulerSettings {
  if (map === undefined) return schedulerDefaults;
  reader.keys(map, schedulerKeys);
  const actions = generation === "1" ? (["continue", "quit"] as const) : (["continue", "quit", "terminate"] as const);
  return {
    fetchers: reader.whole(map, "fetchers", 1) ?? schedulerDefaults.fetchers,
    builders: reader.whole(map, "builders", 1) ?? schedulerDefaults.builders,
    pushers: reader.whole(map, "pushers", 1) ?? schedulerDefaults.pushers,
    networkRetries: reader.whole(map, "network-retries", 0) ?? schedulerDefaults.networkRetries,
    onError: reader.choice(map, "on-error", actions) ?? schedulerDefaults.onError,
  };
}
