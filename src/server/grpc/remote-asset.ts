import { create, toBinary } from "@bufbuild/protobuf";
import { type Duration, durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { decode } from "../../base/decode.ts";
import { parseDigest } from "../../base/digest.ts";
import { servedValue } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { Asset } from "../../cache/asset-index.ts";
import type { AssetKey, AssetKind } from "../../cache/asset-name.ts";
import type { Tenants } from "../../cache/tenant.ts";
import {
  FetchBlobRequestSchema,
  FetchBlobResponseSchema,
  type PushBlobRequest,
  PushBlobRequestSchema,
} from "../../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import type { Digest } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { showUri } from "../../origin/origin-url.ts";
import type { Call, Reply, Service } from "../../rpc/service.ts";
import type { Root } from "../../store/ref-store.ts";
import { clientOf } from "../admission.ts";
import { reach } from "../rights.ts";
import type { OriginDesk } from "../stock.ts";
import { nameOfVisitor } from "../visitor-name.ts";
import { namedFunction } from "../wire/digest-fields.ts";

// On the wire, the messages for directories are those for blobs: the same numbers and types, another name for the digest.
// So one schema decodes both.

/**
 * build.bazel.remote.asset.v1.Fetch. What was not pushed here is NOT_FOUND, or comes from its origin where there is an `origin` to ask. That
 * needs the right to push: it takes disk and network, and what comes is stored.
 */
export function fetchService(tenants: Tenants, origin?: OriginDesk): Service {
  return {
    name: "build.bazel.remote.asset.v1.Fetch",
    methods: {
      FetchBlob: { kind: "unary", handle: (request, call) => fetchAsset("blob", request, call, tenants, origin) },
      FetchDirectory: {
        kind: "unary",
        handle: (request, call) => fetchAsset("directory", request, call, tenants, origin),
      },
    },
  };
}

/** build.bazel.remote.asset.v1.Push. */
export function pushService(tenants: Tenants): Service {
  return {
    name: "build.bazel.remote.asset.v1.Push",
    methods: {
      PushBlob: { kind: "unary", handle: (request, call) => pushAsset("blob", request, call, tenants) },
      PushDirectory: { kind: "unary", handle: (request, call) => pushAsset("directory", request, call, tenants) },
    },
  };
}

async function fetchAsset(
  kind: AssetKind,
  message: Uint8Array,
  call: Call,
  tenants: Tenants,
  origin: OriginDesk | undefined,
): Promise<Reply> {
  const request = decode(FetchBlobRequestSchema, message);
  const { instanceName, uris, qualifiers } = request;
  call.subject = showUri(uris[0] ?? "");
  const tenant = reach(tenants, call, instanceName, "pull");
  const oldest = parseTime(request.oldestContentAccepted);
  const query = { kind, uris, qualifiers, function: namedFunction(request.digestFunction), oldest };
  const found = await (origin === undefined ? tenant.assets.find(query) : origin.find(tenant, query));
  if (found !== undefined) return { parts: [fetchResponse({ qualifiers, ...found })] };
  const mayFetch = call.caller.may("push", instanceName);
  if (origin !== undefined && mayFetch) {
    const fetched = await origin.fetch(tenant, {
      ...query,
      signal: call.signal,
      timeoutMs: parseTimeout(request.timeout),
      client: clientOf(call.peer, call.caller),
      request: call.id,
    });
    call.absent = 1;
    if (fetched !== undefined) return { parts: [fetchResponse(fetched)] };
  }
  const refused = origin === undefined || mayFetch ? "" : ", and it is fetched for those only who may push";
  throw new StillageError(
    "not-found",
    `no complete ${kind} for ${JSON.stringify(uris[0]?.slice(0, 200))} is here${refused}`,
  );
}

type FetchAnswer = Pick<Asset, "uri" | "digest"> & Partial<Pick<Asset, "expires">> & Pick<AssetKey, "qualifiers">;

function fetchResponse({ uri, digest, expires, qualifiers }: FetchAnswer): Uint8Array {
  const response = create(FetchBlobResponseSchema, {
    status: {},
    uri,
    qualifiers: qualifiers.map(({ name, value }) => ({ name, value })),
    blobDigest: { hash: digest.hash, sizeBytes: BigInt(digest.size) },
    digestFunction: servedValue(digest.function),
  });
  if (expires !== undefined) response.expiresAt = timestampFromMs(expires);
  return toBinary(FetchBlobResponseSchema, response);
}

async function pushAsset(kind: AssetKind, message: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const request = decode(PushBlobRequestSchema, message);
  call.subject = showUri(request.uris[0] ?? "");
  const { assets } = reach(tenants, call, request.instanceName, "push");
  const { uris, qualifiers, blobDigest } = request;
  if (uris.length === 0 || blobDigest === undefined)
    throw new StillageError("invalid", "a push names URIs and a digest");
  const digest = parseDigest(blobDigest.hash, blobDigest.sizeBytes, namedFunction(request.digestFunction));
  const references = [
    ...parseReferences("blob", request.referencesBlobs, digest.function),
    ...parseReferences("directory", request.referencesDirectories, digest.function),
  ];
  const expires = parseTime(request.expireAt);
  const by = nameOfVisitor(call);
  await assets.store({ kind, uris, qualifiers, digest, references, expires, message: new Uint8Array(message), by });
  return { parts: [] };
}

/** BuildStream before 2.7 refers to trees that are not there by digests with an empty hash. */
function parseReferences(
  walk: "blob" | "directory",
  digests: PushBlobRequest["referencesBlobs"],
  fn: ReturnType<typeof parseDigest>["function"],
): Root[] {
  const real = digests.filter((each: Digest) => each.hash !== "");
  return real.map(({ hash, sizeBytes }) => ({ walk, digest: parseDigest(hash, sizeBytes, fn) }));
}

/** The longest time that a timer takes, in milliseconds: some 25 days. */
const longestTimer = 2 ** 31 - 1;

/** How long a client wants to wait, in milliseconds; `undefined` where it leaves that open. */
function parseTimeout(timeout: Duration | undefined): number | undefined {
  if (timeout === undefined) return undefined;
  const ms = Math.min(durationMs(timeout), longestTimer);
  if (ms < 0) throw new StillageError("invalid", "the timeout is negative");
  return ms === 0 ? undefined : ms;
}

/** The range of google.protobuf.Timestamp, the years 1 to 9999, in milliseconds since 1970. */
const firstTime = -62_135_596_800_000;
const lastTime = 253_402_300_799_999;

function parseTime(timestamp: Timestamp | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  const time = timestampMs(timestamp);
  if (time >= firstTime && time <= lastTime) return time;
  throw new StillageError("invalid", `${timestamp.seconds} s since 1970 is no time between the years 1 and 9999`);
}
