import { create, toBinary } from "@bufbuild/protobuf";
import { decode } from "../../base/decode.ts";
import { parseDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { assetOfReferences, uriOfReference } from "../../cache/reference-name.ts";
import type { Tenants } from "../../cache/tenant.ts";
import {
  GetReferenceRequestSchema,
  GetReferenceResponseSchema,
  StatusRequestSchema,
  StatusResponseSchema,
  UpdateReferenceRequestSchema,
} from "../../gen/buildstream/v2/reference_storage_pb.ts";
import type { Call, Reply, Service } from "../../rpc/service.ts";
import { reach } from "../rights.ts";
import { nameOfVisitor } from "../visitor-name.ts";

/** buildstream.v2.ReferenceStorage: artifacts of BuildStream 1.1.4 to 1.6, each a Directory under `PROJECT/ELEMENT/KEY`. */
export function referenceStorageService(tenants: Tenants): Service {
  return {
    name: "buildstream.v2.ReferenceStorage",
    methods: {
      GetReference: { kind: "unary", handle: (request, call) => getReference(request, call, tenants) },
      UpdateReference: { kind: "unary", handle: (request, call) => updateReference(request, call, tenants) },
      Status: {
        kind: "unary",
        handle: (request, call) => {
          const { instanceName } = decode(StatusRequestSchema, request);
          reach(tenants, call, instanceName, "pull");
          const response = create(StatusResponseSchema, { allowUpdates: call.caller.may("push", instanceName) });
          return { parts: [toBinary(StatusResponseSchema, response)] };
        },
      },
    },
  };
}

/** Errors: `not-found` also where anything of the artifact is missing, as the client builds it then, and fails on every other error. */
async function getReference(message: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const { instanceName, key } = decode(GetReferenceRequestSchema, message);
  call.subject = key;
  const { assets } = reach(tenants, call, instanceName, "pull");
  const uris = [uriOfReference(key)];
  const found = await assets.find({ kind: "directory", uris, qualifiers: [], function: sha256, oldest: undefined });
  if (found === undefined) {
    throw new StillageError("not-found", `no complete artifact ${JSON.stringify(key.slice(0, 200))} is here`);
  }
  const digest = { hash: found.digest.hash, sizeBytes: BigInt(found.digest.size) };
  return { parts: [toBinary(GetReferenceResponseSchema, create(GetReferenceResponseSchema, { digest }))] };
}

async function updateReference(message: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const { instanceName, keys, digest: sent } = decode(UpdateReferenceRequestSchema, message);
  call.subject = keys[0] ?? "";
  const { assets } = reach(tenants, call, instanceName, "push");
  if (sent === undefined) throw new StillageError("invalid", "an update names keys and a digest");
  const digest = parseDigest(sent.hash, sent.sizeBytes, sha256);
  await assets.store({ ...assetOfReferences(instanceName, keys, digest), by: nameOfVisitor(call) });
  return { parts: [] };
}
