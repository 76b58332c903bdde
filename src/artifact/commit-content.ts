import type { Digest } from "../base/digest.ts";
import { type DigestFunction, ostree, sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { readCommit } from "../cache/commit-walk.ts";
import { readMessage } from "../cache/read-message.ts";
import { type DirTree, decodeDirTree } from "../ostree/dirtree.ts";
import { readFilez } from "../ostree/filez.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { ArtifactContent } from "./artifact-content.ts";
import { dependenciesIn, readOrProblem } from "./directory-content.ts";
import { maxYamlBytes, memberOf, parseYaml, textOf, truthOf, type YamlValue } from "./yaml-blob.ts";

/** Bytes of the file object of a YAML file that is read: deflate makes nothing much larger. */
const maxFilezBytes = maxYamlBytes + 4096;

/**
 * What an artifact of BuildStream 1.0 or 1.1 says: an OSTree commit with, in `meta`, `artifact.yaml`, or from 1.1 on the files that later releases keep. Its trees
 * are none of Directory messages, so that it has no digests of them. What is missing or cannot be read is said among its problems. Errors: those of the store.
 */
export async function contentOfCommit(blobs: BlobReader, commit: Digest): Promise<ArtifactContent> {
  const problems: string[] = [];
  const meta = await readOrProblem(() => metaOf(blobs, commit));
  if (typeof meta === "string") problems.push(`the directory meta ${meta}`);
  const yaml = async (name: string): Promise<YamlValue | undefined> => {
    const file = typeof meta === "string" ? undefined : meta.find((each) => each.name === name);
    const read = file && (await readOrProblem(() => yamlIn(blobs, file.checksum)));
    if (typeof read !== "string") return read?.value;
    problems.push(`meta/${name} ${read}`);
    return undefined;
  };
  const all = await yaml("artifact.yaml");
  const keys = (await yaml("keys.yaml")) ?? memberOf(all, "keys");
  const workspaced = memberOf(await yaml("workspaced.yaml"), "workspaced") ?? memberOf(all, "workspaced");
  const others = (await yaml("workspaced-dependencies.yaml")) ?? {
    "workspaced-dependencies": memberOf(all, "workspaced_dependencies") ?? null,
  };
  return {
    version: undefined,
    keys: { strong: textOf(memberOf(keys, "strong")), weak: textOf(memberOf(keys, "weak")), strict: undefined },
    // Failed builds are not kept.
    build: { success: true, error: undefined, details: undefined, workspaced: truthOf(workspaced) ?? false },
    ...{ trees: {}, logs: [], publicData: undefined, parts: [], problems },
    dependencies: dependenciesIn((await yaml("dependencies.yaml")) ?? memberOf(keys, "dependencies"), others),
  };
}

/** The files of the directory `meta`; `undefined` where it, or what leads to it, is not there. */
async function metaOf(blobs: BlobReader, digest: Digest): Promise<DirTree["files"] | undefined> {
  const commit = await readCommit(blobs, digest);
  const root = commit && (await treeOf(blobs, commit.tree));
  const meta = root?.directories.find(({ name }) => name === "meta");
  return meta && (await treeOf(blobs, meta.tree))?.files;
}

async function treeOf(blobs: BlobReader, checksum: string): Promise<DirTree | undefined> {
  const bytes = await readNamed(blobs, sha256, checksum, maxMetadataBytes);
  return bytes && decodeDirTree(bytes);
}

async function yamlIn(blobs: BlobReader, checksum: string): Promise<{ readonly value: YamlValue } | undefined> {
  const filez = await readNamed(blobs, ostree, checksum, maxFilezBytes);
  if (filez === undefined) return undefined;
  const { size, content, close } = await readFilez(onePiece(filez), checksum);
  if (size > maxYamlBytes) {
    await close();
    throw new StillageError("invalid", `it has ${size} bytes, and up to ${maxYamlBytes} are read`);
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  const parsed = parseYaml(Buffer.concat(pieces));
  if (parsed === undefined) throw new StillageError("invalid", "it is not YAML of the kind that BuildStream writes");
  return parsed;
}

async function readNamed(
  blobs: BlobReader,
  fn: DigestFunction,
  hash: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const size = await blobs.sizeOf(fn, hash);
  if (size === undefined) return undefined;
  if (size > maxBytes) throw new StillageError("invalid", `it has ${size} bytes, and up to ${maxBytes} are read`);
  return readMessage(blobs, { function: fn, hash, size });
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
