import { machine, type as systemName } from "node:os";
import { join, resolve } from "node:path";
import { isProblems } from "../../config/load.ts";
import { byPosition, type Problem, showProblem } from "../../config/problem.ts";
import { type Dialect, type Generation, generationOf } from "../../project/dialect.ts";
import { findProject, projectFileName } from "../../project/find-project.ts";

import { type MapNode, valueAt } from "../../project/node.ts";
import {
  type Project,
  type ProjectFile,
  projectName,
  readProject,
  readProjectFile,
} from "../../project/project-file.ts";
import { ValueReader } from "../../project/read-value.ts";
import {
  findUserFile,
  guessGeneration,
  readUserConfiguration,
  type UserConfiguration,
} from "../../project/user-configuration.ts";
import { aroundArtifactdir, type CacheDirectories, cacheDirectoriesAt } from "../local/cache-directories.ts";
import { artifactFolder } from "../local/cache-layout.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { readRecommended, readUserCaches } from "./cache-block.ts";
import { chooseRemotes } from "./choose-remotes.ts";
import type { ClientConfiguration, ClientSources, SourceCaches } from "./client-configuration.ts";
import { readOwnFile } from "./own-file.ts";
import type { EntryContext } from "./remote-entry.ts";
import { parseRemoteText } from "./remote-text.ts";

/** Puts together what the command line, Stillage's own file, BuildStream's user configuration and the project say; or gives everything that is wrong with any of them. */
export function readClientConfiguration(sources: ClientSources): ClientConfiguration | readonly Problem[] {
  const { workingDirectory, environment, buildstreamConfig, subproject } = sources;
  const reader = new ValueReader();
  const notes: Problem[] = [];
  const file = openProject(sources, reader);
  const dialect = dialectOf(sources, file, reader);
  const generation = generationOf(dialect);
  const name = subproject?.name ?? (file && projectName(file, reader));
  const found = findUserFile(generation, buildstreamConfig, workingDirectory, environment);
  if (isProblems(found)) reader.problems.push(...found);
  const userFile = isProblems(found) ? undefined : found;
  const user = readUserConfiguration(userFile, dialect, name, environment, reader);
  notes.push(...user.notes);
  const project = file && loadProject(file, name ?? "", dialect, user.override, sources, reader);
  const own = readOwnFile(sources.clientConfig, workingDirectory, environment, reader, notes);

  const context: EntryContext = { dialect, folder: workingDirectory, environment, reader, notes };
  const ofProject: EntryContext = { ...context, folder: file?.directory ?? workingDirectory };
  const override = user.override && valueAt(user.override, "artifacts");
  const recommended = [...(subproject?.around ?? []), ...readRecommended(project?.artifacts, "artifacts", ofProject)];
  const chosen = chooseRemotes({
    dialect,
    commandLine: commandLineRemotes(sources, own.named, reader),
    own,
    forProject: readUserCaches(override, "artifacts", context),
    global: readUserCaches(user.artifacts, "artifacts", context),
    recommended,
    ignoreProjectRemotes: sources.ignoreProjectRemotes,
  });
  const sourceCaches = readSourceCaches(user, project, sources, context, ofProject);

  if (reader.problems.length > 0) return [...ordered(reader.problems), ...ordered(notes).map(asProblem)];
  const files = [user.path, own.path, ...(project?.files ?? [])].filter((path) => path !== undefined);
  return {
    generation,
    dialect,
    ...directoriesOf(sources, generation, user.directory),
    ...chosen,
    ...{ recommended, sourceCaches },
    named: own.named,
    project: project && { name: project.name, directory: project.directory },
    ...user.scheduler,
    files,
    notes: ordered([...notes, ...(project?.notes ?? [])]),
    ofSubproject: (subproject, options) => readClientConfiguration({ ...sources, dialect, subproject, options }),
  };
}

/** Caches of sources are not used here, but by the `bst` that is started, and what is wrong with them keeps that from starting. Neither the command line nor Stillage's own file names any. */
function readSourceCaches(
  user: UserConfiguration,
  project: Project | undefined,
  { subproject }: ClientSources,
  context: EntryContext,
  ofProject: EntryContext,
): SourceCaches {
  const { dialect } = context;
  if (generationOf(dialect) !== "2") return { used: [], recommended: [] };
  const key = "source-caches";
  const forUser = { ...context, unused: true } as const;
  const global = readUserCaches(user.sourceCaches, key, forUser);
  const forProject = readUserCaches(user.override && valueAt(user.override, key), key, forUser);
  const own = readRecommended(project?.sourceCaches, key, { ...ofProject, unused: true });
  // What releases before 2 make of them is theirs.
  if (dialect !== "2") return { used: [], recommended: [] };
  const recommended = [...(subproject?.sourceCachesAround ?? []), ...own];
  const none = { commandLine: [], own: { remotes: [], overridesBuildStream: false }, ignoreProjectRemotes: false };
  return { used: chooseRemotes({ dialect, ...none, forProject, global, recommended }).remotes, recommended };
}

function directoriesOf(
  { cache, workingDirectory }: ClientSources,
  generation: Generation,
  configured: string,
): CacheDirectories {
  if (cache !== undefined) return cacheDirectoriesAt(resolve(workingDirectory, cache));
  if (generation === "1") return aroundArtifactdir(configured);
  return { cacheDirectory: configured, artifactDirectory: join(configured, artifactFolder) };
}

/** None has to be there, but one that is asked for. */
function openProject(sources: ClientSources, reader: ValueReader): ProjectFile | undefined {
  const { directory, workingDirectory, subproject } = sources;
  const found = subproject === undefined ? findProject(directory) : subproject.directory;
  if (subproject === undefined && found === undefined && directory !== workingDirectory) {
    reader.report("--directory", `there is no ${projectFileName} in ${directory} or above it`);
  }
  const file = found === undefined || isProblems(found) ? found : readProjectFile(found);
  if (!isProblems(file)) return file;
  reader.problems.push(...file);
  return undefined;
}

/** BuildStream refuses projects of the other generation, and so do we where a grammar is asked for. */
function dialectOf(sources: ClientSources, file: ProjectFile | undefined, reader: ValueReader): Dialect {
  const { dialect, buildstreamConfig, workingDirectory, environment } = sources;
  if (file === undefined) return dialect ?? guessGeneration(buildstreamConfig, workingDirectory, environment);
  if (dialect === undefined || generationOf(dialect) === file.generation) return dialect ?? file.generation;
  const origin = valueAt(file.root, "min-version")?.at ?? file.root.at;
  const why = file.generation === "2" ? "has a min-version" : "has no min-version";
  reader.report(
    origin,
    `this is a project for BuildStream ${file.generation}, which ${why}; --buildstream ${dialect} is for others`,
  );
  return file.generation;
}

function loadProject(
  file: ProjectFile,
  name: string,
  dialect: Dialect,
  override: MapNode | undefined,
  { options }: ClientSources,
  reader: ValueReader,
): Project {
  const user = override && reader.map(override, "options");
  const { generation } = file;
  return readProject(
    file,
    name,
    dialect,
    { generation, user, commandLine: options, machine: machine(), system: systemName() },
    reader,
  );
}

function commandLineRemotes(
  { remotes, purpose, workingDirectory, environment }: ClientSources,
  named: readonly RemoteSpec[],
  reader: ValueReader,
): readonly RemoteSpec[] {
  return remotes.flatMap((text) => {
    const remote = parseRemoteText(text, { purpose, named, workingDirectory, environment });
    if (!isProblems(remote)) return [remote];
    reader.problems.push(...remote);
    return [];
  });
}

/** What is misspelt and heeded by nobody may be why something else is wrong. */
function asProblem({ origin, message }: Problem): Problem {
  return { origin, message: `note: ${message}` };
}

/** Each once, as a file that is read in two ways can be wrong in the same way; those of one file together, in their order there. */
function ordered(problems: readonly Problem[]): readonly Problem[] {
  const unique = new Map(problems.map((problem) => [showProblem(problem), problem]));
  const groups = Map.groupBy(unique.values(), ({ origin }) => origin.replace(/:\d+:\d+$/, ""));
  return [...groups.values()].flatMap((group) => group.toSorted(byPosition));
}
