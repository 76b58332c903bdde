import { create, toBinary } from "@bufbuild/protobuf";
import { decode } from "../../base/decode.ts";
import { parseDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { directoryPrefix } from "../../cache/artifact-ref-name.ts";
import type { Tenants } from "../../cache/tenant.ts";
import { PushDirectoryRequestSchema } from "../../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import {
  GetReferenceRequestSchema,
  GetReferenceResponseSchema,
  StatusRequestSchema,
  StatusResponseSchema,
  UpdateReferenceRequestSchema,
} from "../../gen/buildstream/v2/reference_storage_pb.ts";
import type { Call, Reply, Service } from "../../rpc/service.ts";
import { nameOfPeer } from "../peer-name.ts";
import { requirePush } from "../rights.ts";

/** buildstream.v2.ReferenceStorage: artifacts of BuildStream 1.1.4 to 1.6, each a Directory under `PROJECT/ELEMENT/KEY`. */
export function referenceStorageService(tenants: Tenants): Service {
  return {
    name: "buildstream.v2.ReferenceStorage",
    methods: {
      GetReference: { kind: "unary", handle: (request) => getReference(request, tenants) },
      UpdateReference: { kind: "unary", handle: (request, call) => updateReference(request, call, tenants) },
      Status: {
        kind: "unary",
        handle: (request, { peer }) => {
          tenants.find(decode(StatusRequestSchema, request).instanceName);
          const response = create(StatusResponseSchema, { allowUpdates: peer.push });
          return { parts: [toBinary(StatusResponseSchema, response)] };
        },
      },
    },
  };
}

/** Errors: `not-found` also where anything of the artifact is missing, as the client builds it then, and fails on every other error. */
async function getReference(message: Uint8Array, tenants: Tenants): Promise<Reply> {
  const { instanceName, key } = decode(GetReferenceRequestSchema, message);
  const { assets } = tenants.find(instanceName);
  const uris = [uriOf(key)];
  const found = await assets.find({ kind: "directory", uris, qualifiers: [], function: sha256, oldest: undefined });
  if (found === undefined) {
    throw new StillageError("not-found", `no complete artifact ${JSON.stringify(key.slice(0, 200))} is here`);
  }
  const digest = { hash: found.digest.hash, sizeBytes: BigInt(found.digest.size) };
  return { parts: [toBinary(GetReferenceResponseSchema, create(GetReferenceResponseSchema, { digest }))] };
}

async function updateReference(message: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const { instanceName, keys, digest: sent } = decode(UpdateReferenceRequestSchema, message);
  const { assets } = tenants.find(instanceName);
  requirePush(call.peer);
  if (sent === undefined) throw new StillageError("invalid", "an update names keys and a digest");
  const digest = parseDigest(sent.hash, sent.sizeBytes, sha256);
  const uris = keys.map(uriOf);
  // What a client that uses the Remote Asset API would have sent for the same.
  const push = create(PushDirectoryRequestSchema, { instanceName, uris, rootDirectoryDigest: sent });
  const request = toBinary(PushDirectoryRequestSchema, push);
  const content = { digest, references: [], expires: undefined, message: request, by: nameOfPeer(call.peer) };
  await assets.store({ kind: "directory", uris, qualifiers: [], ...content });
  return { parts: [] };
}

/**
 * What BuildStream 1.5.1 and later call the same directory when they ask for it as an asset. Refs are stored under it, so that every
 * 1.x client finds what any other has pushed.
 */
function uriOf(key: string): string {
  if (key === "") throw new StillageError("invalid", "the key is empty");
  return directoryPrefix + key;
}
