import type { Digest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { ArtifactContent, BuildDependency, LogFile, TreeName } from "./artifact-content.ts";
import { type Entry, readEntries } from "./directory-entries.ts";
import { maxLogs } from "./message-content.ts";
import { memberOf, readYaml, textOf, truthOf, type YamlValue } from "./yaml-blob.ts";

/**
 * What an artifact of BuildStream 1 says: a Directory with `files`, `logs` and, in `meta`, YAML files. What is missing or cannot be read is said
 * among its problems. Errors: those of the store.
 */
export async function contentOfDirectory(blobs: BlobReader, root: Digest): Promise<ArtifactContent> {
  const reader = new DirectoryReader(blobs);
  const top = await reader.directory(root, "the artifact's directory");
  const child = (name: string): Promise<readonly Entry[]> => {
    const found = directoryNamed(top, name);
    return found === undefined ? Promise.resolve([]) : reader.directory(found, name);
  };
  const meta = await child("meta");
  const yaml = (name: string): Promise<YamlValue | undefined> => reader.yaml(meta, name);
  const keys = await yaml("keys.yaml");
  const outcome = await yaml("build-result.yaml");
  const trees: Partial<Record<TreeName, Digest>> = {};
  for (const name of ["files", "buildtree"] as const) {
    const found = directoryNamed(top, name);
    if (found !== undefined) trees[name] = found;
  }
  return {
    version: undefined,
    keys: { strong: textOf(memberOf(keys, "strong")), weak: textOf(memberOf(keys, "weak")), strict: undefined },
    build: {
      // The releases that do not write this keep no failed builds.
      success: outcome === undefined ? true : truthOf(memberOf(outcome, "success")),
      error: truthOf(memberOf(outcome, "success")) === false ? textOf(memberOf(outcome, "description")) : undefined,
      details: textOf(memberOf(outcome, "detail")),
      workspaced: truthOf(memberOf(await yaml("workspaced.yaml"), "workspaced")) ?? false,
    },
    trees,
    logs: (await child("logs")).flatMap(logOf).slice(0, maxLogs),
    dependencies: dependenciesIn(await yaml("dependencies.yaml"), await yaml("workspaced-dependencies.yaml")),
    publicData: fileNamed(meta, "public.yaml"),
    parts: [{ name: "the artifact's directory", walk: "directory", digest: root, required: true }],
    problems: reader.problems,
  };
}

class DirectoryReader {
  readonly problems: string[] = [];
  private readonly blobs: BlobReader;

  constructor(blobs: BlobReader) {
    this.blobs = blobs;
  }

  async directory(digest: Digest, what: string): Promise<readonly Entry[]> {
    const outcome = await readOrProblem(() => readEntries(this.blobs, digest));
    if (typeof outcome !== "string") return outcome;
    this.problems.push(`${what} ${outcome}`);
    return [];
  }

  async yaml(meta: readonly Entry[], name: string): Promise<YamlValue | undefined> {
    const digest = fileNamed(meta, name);
    if (digest === undefined) return undefined;
    const { value, problem } = await readYaml(this.blobs, digest, `meta/${name}`);
    if (problem !== undefined) this.problems.push(problem);
    return value;
  }
}

/** What is read of a directory, or why that cannot be. */
export async function readOrProblem<T>(read: () => Promise<T | undefined>): Promise<T | string> {
  try {
    return (await read()) ?? "is not in this cache";
  } catch (error) {
    if (!(error instanceof StillageError) || (error.code !== "invalid" && error.code !== "corrupt")) throw error;
    return `cannot be read: ${error.message}`;
  }
}

function directoryNamed(entries: readonly Entry[], name: string): Digest | undefined {
  const found = entries.find((each) => each.type === "directory" && each.name === name);
  return found?.type === "directory" ? found.digest : undefined;
}

function fileNamed(entries: readonly Entry[], name: string): Digest | undefined {
  const found = entries.find((each) => each.type === "file" && each.name === name);
  return found?.type === "file" ? found.digest : undefined;
}

function logOf(entry: Entry): LogFile[] {
  return entry.type === "file" ? [{ name: entry.name, digest: entry.digest }] : [];
}

/** `dependencies.yaml` has the key of each element by its name, which does not tell the project. */
export function dependenciesIn(keys: YamlValue | undefined, workspaced: YamlValue | undefined): BuildDependency[] {
  if (keys === undefined || keys === null || typeof keys !== "object" || Array.isArray(keys)) return [];
  const list = memberOf(workspaced, "workspaced-dependencies");
  const inWorkspaces = new Set(Array.isArray(list) ? list : []);
  return Object.entries(keys).flatMap(([element, key]) =>
    typeof key === "string" ? [{ project: undefined, element, key, workspaced: inWorkspaces.has(element) }] : [],
  );
}
