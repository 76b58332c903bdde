import { type Digest, keyOfDigest, parseDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { Root, Walk } from "../store/ref-store.ts";
import { artifactMessage, type DigestMessage, maxArtifactFields, sourceMessage } from "./artifact-message.ts";
import { readMessage } from "./read-message.ts";

/** An Artifact is some kilobytes; an error's details and a sandbox's environment may add to that. */
export const maxProtoBytes = 4 << 20;

/** The roots that are such messages. */
export type MessageWalk = Extract<Walk, "artifact" | "source">;

export interface MessageRoot extends Root {
  readonly walk: MessageWalk;
}

/** What a BuildStream message says of its content. */
export interface Needs {
  /** Without these, and the message itself, it is not complete. */
  readonly required: readonly Root[];
  /** Trees that only some clients want, by what `keyOfDigest` gives. */
  readonly optional: ReadonlyMap<string, Digest>;
}

/** What the Artifact or Source stored as `root` needs; `undefined` where it is missing or too large. Errors: `invalid` for what is neither. */
export async function readNeeds(blobs: BlobReader, { walk, digest }: MessageRoot): Promise<Needs | undefined> {
  if (digest.size > maxProtoBytes) return undefined;
  const bytes = await readMessage(blobs, digest);
  return bytes === undefined ? undefined : needsOfMessage(walk, bytes, digest.function);
}

/**
 * What an encoded Artifact or Source needs. Errors: `invalid` for what is neither, or has more than `maxArtifactFields` fields.
 * - An Artifact requires files, public_data, low_diversity_meta, high_diversity_meta and logs. Buildtree, sources, buildroot and the
 *   subsandboxes are optional: only build shells and pulls with build trees want them, and 2.4 names sources that it never uploads.
 * - A Source requires its files.
 * A digest with an empty hash stands for none. build_deps are keys of other artifacts.
 */
export function needsOfMessage(walk: MessageWalk, bytes: Uint8Array, fn: DigestFunction): Needs {
  return walk === "artifact" ? needsOfArtifact(bytes, fn) : needsOfSource(bytes, fn);
}

function needsOfArtifact(bytes: Uint8Array, fn: DigestFunction): Needs {
  const artifact = artifactMessage.decode(bytes, maxArtifactFields);
  const { publicData, lowDiversityMeta, highDiversityMeta, buildtree, sources, buildroot, buildsandbox } = artifact;
  const required = [
    ...rootsOf("directory", [artifact.files], fn),
    ...rootsOf(
      "blob",
      [publicData, lowDiversityMeta, highDiversityMeta, ...artifact.logs.map((log) => log.digest)],
      fn,
    ),
  ];
  const trees = [buildtree, sources, buildroot, ...(buildsandbox?.subsandboxDigests ?? [])];
  const optional = rootsOf("directory", trees, fn).map(({ digest }) => [keyOfDigest(digest), digest] as const);
  return { required, optional: new Map(optional) };
}

function needsOfSource(bytes: Uint8Array, fn: DigestFunction): Needs {
  return {
    required: rootsOf("directory", [sourceMessage.decode(bytes, maxArtifactFields).files], fn),
    optional: new Map(),
  };
}

function rootsOf(walk: Root["walk"], digests: readonly (DigestMessage | undefined)[], fn: DigestFunction): Root[] {
  const roots: Root[] = [];
  for (const each of digests) {
    if (each === undefined || each.hash === "") continue;
    roots.push({ walk, digest: parseDigest(each.hash, each.sizeBytes, fn) });
  }
  return roots;
}
