import { create, toBinary } from "@bufbuild/protobuf";
import type { Digest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { PushDirectoryRequestSchema } from "../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import type { NewAsset } from "./asset-index.ts";

/**
 * What BuildStream 1.5.1 and later put before the same key when they ask for the same directory as an asset. References are stored
 * under it, so that every 1.x client finds what any other has pushed.
 */
const uriPrefix = "urn:fdc:buildstream.build:2020:v1:";

/** The URI of the directory that BuildStream 1.1.4 to 1.6 call `PROJECT/ELEMENT/KEY`. Errors: `invalid` for no key. */
export function uriOfReference(key: string): string {
  if (key === "") throw new StillageError("invalid", "the key is empty");
  return uriPrefix + key;
}

/** A directory under such keys, as the asset that a client of the Remote Asset API would have pushed for the same. Errors: `invalid`. */
export function assetOfReferences(instanceName: string, keys: readonly string[], digest: Digest): NewAsset {
  const uris = keys.map(uriOfReference);
  const rootDirectoryDigest = { hash: digest.hash, sizeBytes: BigInt(digest.size) };
  const push = create(PushDirectoryRequestSchema, { instanceName, uris, rootDirectoryDigest });
  const message = toBinary(PushDirectoryRequestSchema, push);
  return { kind: "directory", uris, qualifiers: [], digest, references: [], expires: undefined, message };
}
