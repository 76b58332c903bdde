import { create, toBinary } from "@bufbuild/protobuf";
import type { Digest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { PushDirectoryRequestSchema } from "../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import { directoryPrefix } from "./artifact-ref-name.ts";
import type { NewAsset } from "./asset-index.ts";

/**
 * The URI of the directory that BuildStream 1.1.4 to 1.6 call `PROJECT/ELEMENT/KEY`: that by which 1.5.1 and later ask for it as an asset, so that every 1.x
 * client finds what any other has pushed. Errors: `invalid` for no key.
 */
export function uriOfReference(key: string): string {
  if (key === "") throw new StillageError("invalid", "the key is empty");
  return directoryPrefix + key;
}

/** A directory under such keys, as the asset that a client of the Remote Asset API would have pushed for the same. Errors: `invalid`. */
export function assetOfReferences(instanceName: string, keys: readonly string[], digest: Digest): NewAsset {
  const uris = keys.map(uriOfReference);
  const rootDirectoryDigest = { hash: digest.hash, sizeBytes: BigInt(digest.size) };
  const push = create(PushDirectoryRequestSchema, { instanceName, uris, rootDirectoryDigest });
  const message = toBinary(PushDirectoryRequestSchema, push);
  return { kind: "directory", uris, qualifiers: [], digest, references: [], expires: undefined, message };
}
