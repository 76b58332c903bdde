import { create, toBinary } from "@bufbuild/protobuf";
import { decode } from "../../base/decode.ts";
import { StillageError } from "../../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes } from "../../base/protobuf.ts";
import type { MessageWalk } from "../../cache/artifact-needs.ts";
import type { Tenants } from "../../cache/tenant.ts";
import {
  GetArtifactRequestSchema,
  GetCapabilitiesRequestSchema,
  ServerCapabilitiesSchema,
} from "../../gen/buildstream/v2/services_pb.ts";
import type { Call, Reply, Service } from "../../rpc/service.ts";
import { reach } from "../rights.ts";
import { nameOfVisitor } from "../visitor-name.ts";

// The services of BuildStream 1.91 to 1.93. On the wire, the requests for sources are those for artifacts: the same numbers and types.

/** buildstream.v2.Capabilities. */
export function bstCapabilitiesService(tenants: Tenants): Service {
  return {
    name: "buildstream.v2.Capabilities",
    methods: {
      GetCapabilities: {
        kind: "unary",
        handle: (request, call) => {
          const { instanceName } = decode(GetCapabilitiesRequestSchema, request);
          reach(tenants, call, instanceName, "pull");
          const rights = { allowUpdates: call.caller.may("push", instanceName) };
          const capabilities = { artifactCapabilities: rights, sourceCapabilities: rights };
          return { parts: [toBinary(ServerCapabilitiesSchema, create(ServerCapabilitiesSchema, capabilities))] };
        },
      },
    },
  };
}

/** buildstream.v2.ArtifactService: the key is `PROJECT/ELEMENT/KEY`. */
export function artifactService(tenants: Tenants): Service {
  return {
    name: "buildstream.v2.ArtifactService",
    methods: {
      GetArtifact: { kind: "unary", handle: (request, call) => get("artifact", request, call, tenants) },
      UpdateArtifact: { kind: "unary", handle: (request, call) => update("artifact", request, call, tenants) },
    },
  };
}

/** buildstream.v2.SourceService: the key is `KIND/KEY`. */
export function sourceService(tenants: Tenants): Service {
  return {
    name: "buildstream.v2.SourceService",
    methods: {
      GetSource: { kind: "unary", handle: (request, call) => get("source", request, call, tenants) },
      UpdateSource: { kind: "unary", handle: (request, call) => update("source", request, call, tenants) },
    },
  };
}

async function get(walk: MessageWalk, message: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const { instanceName, cacheKey } = decode(GetArtifactRequestSchema, message);
  call.subject = cacheKey;
  const { messages } = reach(tenants, call, instanceName, "pull");
  const found = await messages.find(walk, cacheKey);
  if (found !== undefined) return { parts: [found] };
  throw new StillageError("not-found", `no complete ${walk} ${JSON.stringify(cacheKey.slice(0, 200))} is here`);
}

async function update(walk: MessageWalk, request: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const { instanceName, cacheKey } = decode(GetArtifactRequestSchema, request);
  call.subject = cacheKey;
  const { messages } = reach(tenants, call, instanceName, "push");
  const message = new Uint8Array(messageIn(request, walk));
  await messages.store(walk, cacheKey, message, nameOfVisitor(call));
  return { parts: [message] };
}

const messageTag = tagOf(3, wireBytes);

/** The bytes of the message in a request, unknown fields and all: later clients of one server may know them. */
function messageIn(request: Uint8Array, walk: MessageWalk): Uint8Array {
  const reader = new ProtobufReader(request);
  let found: Uint8Array | undefined;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === messageTag) found = request.subarray(reader.start, reader.end);
  }
  if (found === undefined) throw new StillageError("invalid", `the request has no ${walk}`);
  return found;
}
