import type { Digest } from "../base/digest.ts";
import type { ArtifactName } from "../store/artifact-refs.ts";
import { type LogFile, type TreeName, treeNames } from "./artifact-content.ts";
import type { ArtifactReport, NamedArtifact } from "./artifact-report.ts";
import type { ListedDependency } from "./dependencies.ts";
import type { TreeEntry } from "./tree-listing.ts";

// What programs see of artifacts, by the API and by `--json` alike. What is not known is null, and no field is ever left out, but for those of an
// entry of a tree that its type has not.

interface DigestJson {
  readonly function: string;
  readonly hash: string;
  readonly size: number;
}

function digestJson({ function: fn, hash, size }: Digest): DigestJson {
  return { function: fn.name, hash, size };
}

const timeJson = (time: number | undefined): string | null =>
  time === undefined ? null : new Date(time).toISOString();

/** An artifact in a list. */
export function listedJson(listed: NamedArtifact): object {
  const { instance, project, element, keys, moreKeys, generation, pushed, by, content } = listed;
  return {
    ...{ instance: instance ?? null, project, element, keys, moreKeys, generation },
    pushed: timeJson(pushed),
    pushedBy: by ?? null,
    content: digestJson(content),
  };
}

/** All that is known of an artifact. */
export function reportJson(report: ArtifactReport): object {
  const { artifact, content, complete, missing, size, publicData, problems } = report;
  const { used, expires, pinned = null } = artifact;
  const { strong = null, weak = null, strict = null } = content?.keys ?? {};
  const { success = null, error = null, details = null, workspaced = null } = content?.build ?? {};
  return {
    ...listedJson(artifact),
    cacheKeys: { strong, weak, strict },
    version: content?.version ?? null,
    complete: complete ?? null,
    missing,
    size: size ?? null,
    build: { success, error, details, workspaced },
    trees: Object.fromEntries(treeNames.map((name) => [name, treeJson(name, report)])),
    logs: (content?.logs ?? []).map(logJson),
    dependencies: content?.dependencies.length ?? null,
    publicData: publicData ?? null,
    lastUsed: timeJson(used),
    expires: timeJson(expires),
    pinned,
    problems,
  };
}

export function logJson({ name, digest, size }: LogFile): object {
  return { name, digest: digestJson(digest), size };
}

function treeJson(name: TreeName, { content, complete, missing }: ArtifactReport): object | null {
  const digest = content?.trees[name];
  if (digest === undefined) return null;
  const lost = missing.some(({ part }) => part === name || /^the artifact's (directory|commit)$/.test(part));
  return { digest: digestJson(digest), complete: complete === undefined ? null : !lost };
}

/** A file, directory or link of an artifact. */
export function entryJson({ digest, ...entry }: TreeEntry): object {
  return digest === undefined ? entry : { ...entry, digest: digestJson(digest) };
}

export function dependencyJson(dependency: ListedDependency): object {
  const { project, element, key, workspaced, artifact } = dependency;
  return { project: project ?? null, element, key, workspaced, artifact: artifact ?? (null as ArtifactName | null) };
}
