import { type Digest, parseDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import {
  type ArtifactMessage,
  artifactMessage,
  type DigestMessage,
  maxArtifactFields,
} from "../cache/artifact-message.ts";
import type { ArtifactContent, ArtifactPart, BuildDependency, LogFile, TreeName } from "./artifact-content.ts";

/** Logs that are taken from a message, which has one or a few; and what is taken of what it says went wrong, in characters. */
export const maxLogs = 1000;
const maxErrorLength = 64 << 10;

/**
 * What an encoded buildstream.v2.Artifact says: the form of 1.91 and later. Digests in it are of the function `fn`; one with an empty hash stands
 * for none. Errors: `invalid` for what is no Artifact, has more than `maxArtifactFields` fields, or a digest that cannot be.
 */
export function contentOfMessage(bytes: Uint8Array, fn: DigestFunction): ArtifactContent {
  const artifact = artifactMessage.decode(bytes, maxArtifactFields);
  const digest = (message: DigestMessage | undefined): Digest | undefined =>
    message === undefined || message.hash === "" ? undefined : parseDigest(message.hash, message.sizeBytes, fn);
  const trees: Partial<Record<TreeName, Digest>> = {};
  const parts: ArtifactPart[] = [];
  for (const name of ["files", "buildtree", "sources", "buildroot"] as const) {
    const root = digest(artifact[name]);
    if (root === undefined) continue;
    trees[name] = root;
    parts.push({ name, walk: "directory", digest: root, required: name === "files" });
  }
  const file = (name: string, message: DigestMessage | undefined): Digest | undefined => {
    const found = digest(message);
    if (found !== undefined) parts.push({ name, walk: "blob", digest: found, required: true });
    return found;
  };
  const publicData = file("public data", artifact.publicData);
  file("environment", artifact.lowDiversityMeta);
  file("variables", artifact.highDiversityMeta);
  const logs: LogFile[] = [];
  for (const log of artifact.logs.slice(0, maxLogs)) {
    const found = file(`log ${log.name}`, log.digest);
    if (found !== undefined) logs.push({ name: log.name, digest: found, size: found.size });
  }
  for (const each of artifact.buildsandbox?.subsandboxDigests ?? []) {
    const root = digest(each);
    if (root !== undefined) parts.push({ name: "subsandbox", walk: "directory", digest: root, required: false });
  }
  const { version, strongKey, weakKey, strictKey } = artifact;
  const keys = { strong: orNone(strongKey), weak: orNone(weakKey), strict: orNone(strictKey) };
  const dependencies = artifact.buildDeps.map(dependencyOf);
  return { version, keys, build: outcomeOf(artifact), trees, logs, dependencies, publicData, parts, problems: [] };
}

function outcomeOf({
  buildSuccess,
  buildError,
  buildErrorDetails,
  wasWorkspaced,
}: ArtifactMessage): ArtifactContent["build"] {
  return {
    success: buildSuccess,
    error: buildSuccess ? undefined : orNone(buildError), // of a good build it says "succeeded"
    details: orNone(buildErrorDetails),
    workspaced: wasWorkspaced,
  };
}

function dependencyOf(dependency: ArtifactMessage["buildDeps"][number]): BuildDependency {
  const { projectName, elementName, cacheKey, wasWorkspaced } = dependency;
  return { project: orNone(projectName), element: elementName, key: cacheKey, workspaced: wasWorkspaced };
}

const orNone = (text: string): string | undefined => (text === "" ? undefined : text.slice(0, maxErrorLength));
