import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Digest } from "../base/digest.ts";
import { servedValue, sha256 } from "../base/digest-function.ts";
import type { Asset, AssetQuery } from "../cache/asset-index.ts";
import type { AssetKind } from "../cache/asset-name.ts";
import { PushBlobRequestSchema } from "../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import { type FetchPlan, namesOf } from "./fetch-plan.ts";

/** What an asset is, or will be. */
export type Found = Pick<Asset, "uri" | "digest"> & Partial<Pick<Asset, "stored" | "expires">>;

/** What somebody has pushed under the very name that is asked for. */
export async function pushedAsset({ tenant, query, qualifiers: { integrity } }: FetchPlan): Promise<Found | undefined> {
  return await tenant.assets.find(provable(query, integrity));
}

/** What an earlier fetch has left, or a push under the same name; that has no digest function in it. */
export async function fetchedAsset(kind: AssetKind, plan: FetchPlan): Promise<Found | undefined> {
  const { tenant, query, urls, qualifiers } = plan;
  const uris = urls.map(({ uri }) => uri);
  for (const fn of new Set([plan.function, sha256])) {
    const names = namesOf(kind, plan, fn);
    if (names === undefined) return undefined;
    const found = await tenant.assets.find(provable({ ...query, kind, uris, qualifiers: names }, qualifiers.integrity));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Nobody's push makes a blob what its checksum says it is not, as far as its digest tells. */
function provable(query: AssetQuery, integrity: FetchPlan["qualifiers"]["integrity"]): AssetQuery {
  if (integrity === undefined || query.kind !== "blob") return query;
  const accepts = ({ function: fn, hash }: Digest): boolean =>
    fn.name !== integrity.function || integrity.hashes.includes(hash);
  return { ...query, accepts };
}

/** A blob that the store has under the very checksum, wherever it came from; not where its name counts as well, or its age. */
export async function knownBlob(plan: FetchPlan): Promise<Found | undefined> {
  const { tenant, query, qualifiers, urls, function: fn } = plan;
  const { integrity, canonicalId } = qualifiers;
  const [first] = urls;
  if (first === undefined || integrity?.function !== fn.name) return undefined;
  if (canonicalId !== undefined || query.oldest !== undefined) return undefined;
  for (const hash of integrity.hashes) {
    const size = await tenant.blobs.sizeOf(fn, hash);
    if (size !== undefined) return { uri: first.uri, digest: { function: fn, hash, size } };
  }
  return undefined;
}

/**
 * Makes an asset of what was found. With a checksum in its name it stands for every URI of the fetch; without one for that alone which gave
 * it: of the others only the client says that they are the same. A crash before this leaves a blob that a later fetch by its checksum finds.
 */
export async function keepAsset(kind: AssetKind, plan: FetchPlan, found: Found): Promise<void> {
  const { uri, digest, stored, expires } = found;
  const { tenant, qualifiers, urls } = plan;
  const names = namesOf(kind, plan);
  if (names === undefined) return;
  const uris = qualifiers.integrity === undefined ? [uri] : urls.map((each) => each.uri);
  const message = create(PushBlobRequestSchema, {
    instanceName: tenant.name,
    uris,
    qualifiers: names.map(({ name, value }) => ({ name, value })),
    blobDigest: { hash: digest.hash, sizeBytes: BigInt(digest.size) },
    digestFunction: servedValue(digest.function),
    ...(expires === undefined ? {} : { expireAt: timestampFromMs(expires) }),
  });
  const bytes = toBinary(PushBlobRequestSchema, message);
  await tenant.assets.store({
    kind,
    uris,
    qualifiers: names,
    digest,
    references: [],
    expires,
    ...(stored === undefined ? {} : { stored }),
    message: bytes,
  });
}
