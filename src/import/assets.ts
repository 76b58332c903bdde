import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema, timestampMs } from "@bufbuild/protobuf/wkt";
import { decode } from "../base/decode.ts";
import { parseDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { type MessageRoot, readNeeds } from "../cache/artifact-needs.ts";
import type { AssetKind } from "../cache/asset-name.ts";
import { rootOfAsset } from "../cache/asset-root.ts";
import {
  type FetchBlobResponse,
  FetchBlobResponseSchema,
  PushBlobRequestSchema,
} from "../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { Root } from "../store/ref-store.ts";
import type { NameKind } from "./name-kind.ts";

/** What the Any in a file says that it holds. On the wire, the response for a directory is that for a blob under another name. */
const kinds: Readonly<Record<string, AssetKind>> = {
  "type.googleapis.com/build.bazel.remote.asset.v1.FetchBlobResponse": "blob",
  "type.googleapis.com/build.bazel.remote.asset.v1.FetchDirectoryResponse": "directory",
};

/**
 * `assets/objects/AA/REST`: an Any with the response to a Fetch of one URI with its qualifiers, under the hash of that request. What the push
 * said of references casd does not keep; those of BuildStream's artifacts stand in their messages.
 */
export const assets: NameKind = {
  what: "assets",
  layout: "casd",
  folder: "assets/objects",
  isName: (key) => /^[0-9a-f]{2}\/[0-9a-f]{30,126}$/.test(key),
  read: async ({ bytes, time }, { name, assets: index, blobs }) => {
    const { typeUrl, value } = decode(AnySchema, bytes);
    const kind = kinds[typeUrl];
    if (kind === undefined) throw new StillageError("invalid", `it holds a ${JSON.stringify(typeUrl.slice(0, 200))}`);
    const response = decode(FetchBlobResponseSchema, value);
    const { uri, qualifiers, expiresAt, blobDigest } = response;
    if (blobDigest === undefined) throw new StillageError("invalid", "it names no digest");
    const digest = parseDigest(blobDigest.hash, blobDigest.sizeBytes);
    const references = await referencesOf(rootOfAsset(kind, uri, digest), blobs);
    const expires = expiresAt && timestampMs(expiresAt);
    const message = pushOf(name, response, references);
    return index.refsOf({ kind, uris: [uri], qualifiers, digest, references, expires, message }, time);
  },
};

/** What BuildStream says that an artifact refers to when it pushes one; what is no message is found incomplete later. */
async function referencesOf(root: Root, blobs: BlobStore): Promise<Root[]> {
  if (root.walk !== "artifact" && root.walk !== "source") return [];
  const message: MessageRoot = { walk: root.walk, digest: root.digest };
  const needs = await readNeeds(blobs, message).catch((error: unknown) => {
    if (error instanceof StillageError && error.code === "invalid") return undefined;
    throw error;
  });
  if (needs === undefined) return [];
  const optional = [...needs.optional.values()].map((digest): Root => ({ walk: "directory", digest }));
  return [...needs.required, ...optional];
}

/** The request that would have led to the response. */
function pushOf(instanceName: string, response: FetchBlobResponse, references: readonly Root[]): Uint8Array {
  const { uri, qualifiers, expiresAt, blobDigest } = response;
  const named = (walk: Root["walk"]) =>
    references
      .filter((each) => each.walk === walk)
      .map(({ digest }) => ({ hash: digest.hash, sizeBytes: BigInt(digest.size) }));
  const push = create(PushBlobRequestSchema, {
    instanceName,
    uris: [uri],
    qualifiers,
    referencesBlobs: named("blob"),
    referencesDirectories: named("directory"),
  });
  if (expiresAt !== undefined) push.expireAt = expiresAt;
  if (blobDigest !== undefined) push.blobDigest = blobDigest;
  return toBinary(PushBlobRequestSchema, push);
}
