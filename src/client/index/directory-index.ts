import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, sameDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { directoryPrefix } from "../../cache/artifact-ref-name.ts";
import { PushDirectoryRequestSchema } from "../../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { digestMessage, fetchAsset, fetchService, maxDirectoryBytes, pushService } from "./asset-calls.ts";
import {
  type Element,
  firstFound,
  keysToPut,
  lookingFor,
  nameOf,
  naming,
  type ProtocolIndex,
} from "./protocol-index.ts";

/**
 * Artifacts of BuildStream 1.5.1 to 1.6 by the Remote Asset API: directories under `urn:fdc:buildstream.build:2020:v1:PROJECT/ELEMENT/KEY`, one URI to a call and
 * nothing referred to, as these clients ask. The keys are put in their order: after a failure between two of them the first ones are there, and each is whole.
 */
export function directoryIndex(calls: RemoteCalls): ProtocolIndex {
  const look = async (element: Element, key: string, signal: AbortSignal): Promise<Digest | undefined> => {
    const found = await fetchAsset(calls, {
      method: `${fetchService}/FetchDirectory`,
      uris: [directoryPrefix + nameOf(element, key)],
      maxBytes: maxDirectoryBytes,
      doing: lookingFor(element, key),
      signal,
    }).catch(absentWhereForbidden);
    return found?.digest;
  };
  return {
    generation: "1.x",
    async find(question, signal) {
      const first = await firstFound(question.keys, (key) => look(question, key, signal));
      if (first === undefined) return undefined;
      const { project, element } = question;
      return { project, element, keys: [first.key], generation: "1.x", content: first.found, message: undefined };
    },
    async publish(artifact, _content, signal) {
      const missing = await keysToPut(artifact, async (key) => {
        const found = await look(artifact, key, signal);
        return found !== undefined && sameDigest(found, artifact.content);
      });
      for (const key of missing) {
        const message = create(PushDirectoryRequestSchema, {
          instanceName: calls.instanceName,
          uris: [directoryPrefix + nameOf(artifact, key)],
          rootDirectoryDigest: digestMessage(artifact.content),
        });
        const request = toBinary(PushDirectoryRequestSchema, message);
        await calls.unary({ method: `${pushService}/PushDirectory`, request, doing: naming(artifact) }, signal);
      }
      return missing.length === 0 ? "present" : "published";
    },
  };
}

/**
 * bb-remote-asset says PERMISSION_DENIED of a directory that nobody pushed, because it would have to fetch it. Whoever may not pull at all has been refused before, when
 * the server was asked what it speaks.
 */
function absentWhereForbidden(error: unknown): undefined {
  if (error instanceof StillageError && error.code === "forbidden") return undefined;
  throw error;
}
