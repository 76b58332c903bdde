import type { Digest } from "../base/digest.ts";
import { readCommit } from "../cache/commit-walk.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { ArtifactContent, ArtifactPart, BuildDependency, LogFile, TreeName } from "./artifact-content.ts";
import { digestOfChecksum, knownNode } from "./commit-entries.ts";
import { maxLogs } from "./message-content.ts";
import { readOrProblem } from "./read-or-problem.ts";
import { directoryMessages, dirtrees, type TreeFormat } from "./tree-format.ts";
import type { TreeNode } from "./tree-node.ts";
import { memberOf, readYaml, textOf, truthOf, type YamlValue } from "./yaml-blob.ts";

/**
 * What an artifact of BuildStream 1 says that is stored as a Directory. What is missing or cannot be read is said among its problems. Errors: those
 * of the store.
 */
export async function contentOfDirectory(blobs: BlobReader, root: Digest): Promise<ArtifactContent> {
  const name = "the artifact's directory";
  const reader = new TreeReader(blobs, directoryMessages);
  return contentOfTree(reader, await reader.directory(root, name), {
    name,
    walk: "directory",
    digest: root,
    required: true,
  });
}

/** The same of one that is stored as an OSTree commit. */
export async function contentOfCommit(blobs: BlobReader, digest: Digest): Promise<ArtifactContent> {
  const name = "the artifact's commit";
  const reader = new TreeReader(blobs, dirtrees);
  const commit = await readOrProblem(() => readCommit(blobs, digest));
  let top: readonly TreeNode[] = [];
  if (typeof commit === "string") reader.problems.push(`${name} ${commit}`);
  else top = await reader.directory(await digestOfChecksum(blobs, commit.tree), "the root of the artifact's commit");
  return contentOfTree(reader, top, { name, walk: "commit", digest, required: true });
}

/** A directory with `files`, `logs` and, in `meta`, YAML files: several, or in 1.0 one with everything. */
async function contentOfTree(
  reader: TreeReader,
  top: readonly TreeNode[],
  part: ArtifactPart,
): Promise<ArtifactContent> {
  const child = async (name: string): Promise<readonly TreeNode[]> => {
    const found = directoryNamed(top, name);
    return found === undefined ? [] : reader.directory(found.digest, name);
  };
  const meta = await child("meta");
  const yaml = (name: string): Promise<YamlValue | undefined> => reader.yaml(meta, name);
  const all = await yaml("artifact.yaml");
  const keys = memberOf(all, "keys") ?? (await yaml("keys.yaml"));
  const outcome = await yaml("build-result.yaml");
  const trees: Partial<Record<TreeName, Digest>> = {};
  for (const name of ["files", "buildtree"] as const) {
    const found = directoryNamed(top, name);
    if (found?.digest !== undefined) trees[name] = found.digest;
    else if (found !== undefined) reader.problems.push(`${name} is not in this cache`);
  }
  const workspaced = memberOf(all, "workspaced") ?? memberOf(await yaml("workspaced.yaml"), "workspaced");
  const inWorkspaces =
    memberOf(all, "workspaced_dependencies") ??
    memberOf(await yaml("workspaced-dependencies.yaml"), "workspaced-dependencies");
  return {
    version: undefined,
    keys: { strong: textOf(memberOf(keys, "strong")), weak: textOf(memberOf(keys, "weak")), strict: undefined },
    build: {
      // The releases that do not write this keep no failed builds.
      success: outcome === undefined ? true : truthOf(memberOf(outcome, "success")),
      error: truthOf(memberOf(outcome, "success")) === false ? textOf(memberOf(outcome, "description")) : undefined,
      details: textOf(memberOf(outcome, "detail")),
      workspaced: truthOf(workspaced) ?? false,
    },
    trees,
    logs: await reader.logs(await child("logs")),
    dependencies: dependenciesIn(memberOf(keys, "dependencies") ?? (await yaml("dependencies.yaml")), inWorkspaces),
    publicData: await reader.file(meta, "public.yaml"),
    parts: [part],
    problems: reader.problems,
  };
}

class TreeReader {
  readonly problems: string[] = [];
  private readonly blobs: BlobReader;
  private readonly format: TreeFormat;

  constructor(blobs: BlobReader, format: TreeFormat) {
    this.blobs = blobs;
    this.format = format;
  }

  async directory(digest: Digest | undefined, what: string): Promise<readonly TreeNode[]> {
    const read = async () => digest && this.format.readEntries(this.blobs, digest);
    return (await this.orProblem(read, what)) ?? [];
  }

  async yaml(meta: readonly TreeNode[], name: string): Promise<YamlValue | undefined> {
    const digest = await this.file(meta, name);
    if (digest === undefined) return undefined;
    const { value, problem } = await readYaml(this.blobs, digest, `meta/${name}`);
    if (problem !== undefined) this.problems.push(problem);
    return value;
  }

  /** The blob of a file in `meta`, if there is one. */
  async file(meta: readonly TreeNode[], name: string): Promise<Digest | undefined> {
    const entry = meta.find((each) => each.name === name);
    if (entry === undefined) return undefined;
    const found = await this.orProblem(() => knownNode(this.blobs, entry), `meta/${name}`);
    return found?.type === "file" ? found.digest : undefined;
  }

  async logs(entries: readonly TreeNode[]): Promise<LogFile[]> {
    const logs: LogFile[] = [];
    for (const entry of entries.slice(0, maxLogs)) {
      const found = await this.orProblem(() => knownNode(this.blobs, entry), `the log ${JSON.stringify(entry.name)}`);
      if (found?.type === "file") logs.push({ name: found.name, digest: found.digest, size: found.size });
    }
    return logs;
  }

  private async orProblem<T>(read: () => Promise<T | undefined>, what: string): Promise<T | undefined> {
    const found = await readOrProblem(read);
    if (typeof found !== "string") return found;
    this.problems.push(`${what} ${found}`);
    return undefined;
  }
}

function directoryNamed(
  entries: readonly TreeNode[],
  name: string,
): Extract<TreeNode, { type: "directory" }> | undefined {
  const found = entries.find((each) => each.type === "directory" && each.name === name);
  return found?.type === "directory" ? found : undefined;
}

/** `keys` has the key of each element by its name, which does not tell the project; `workspaced` lists names, or in 1.0 says of each whether it is. */
function dependenciesIn(keys: YamlValue | undefined, workspaced: YamlValue | undefined): BuildDependency[] {
  if (!isMapping(keys)) return [];
  const inWorkspaces = new Set(Array.isArray(workspaced) ? workspaced : []);
  const isIn = (element: string) => inWorkspaces.has(element) || truthOf(memberOf(workspaced, element)) === true;
  return Object.entries(keys).flatMap(([element, key]) =>
    typeof key === "string" ? [{ project: undefined, element, key, workspaced: isIn(element) }] : [],
  );
}

function isMapping(value: YamlValue | undefined): value is { [key: string]: YamlValue } {
  return value !== undefined && value !== null && typeof value === "object" && !Array.isArray(value);
}
