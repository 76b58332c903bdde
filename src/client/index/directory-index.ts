import { create, toBinary } from "@bufbuild/protobuf";
import { sameDigest } from "../../base/digest.ts";
import { directoryPrefix } from "../../cache/artifact-ref-name.ts";
import { PushDirectoryRequestSchema } from "../../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { digestMessage, fetchAsset, fetchService, maxDirectoryBytes, pushService } from "./asset-calls.ts";
import { firstFound, keysToPut, nameOf, type ProtocolIndex } from "./protocol-index.ts";

/**
 * Artifacts of BuildStream 1.5.1 to 1.6 by the Remote Asset API: directories under `urn:fdc:buildstream.build:2020:v1:PROJECT/ELEMENT/KEY`, one URI to a call and
 * nothing referred to, as these clients ask. The keys are put in their order: after a failure between two of them the first ones are there, and each is whole.
 */
export function directoryIndex(calls: RemoteCalls): ProtocolIndex {
  const look = (name: string, signal: AbortSignal) =>
    fetchAsset(calls, {
      method: `${fetchService}/FetchDirectory`,
      uris: [directoryPrefix + name],
      maxBytes: maxDirectoryBytes,
      signal,
    });
  return {
    generation: "1.x",
    async find(question, signal) {
      const first = await firstFound(question.keys, (key) => look(nameOf(question, key), signal));
      if (first === undefined) return undefined;
      const { project, element } = question;
      const content = first.found.digest;
      return { project, element, keys: [first.key], generation: "1.x", content, message: undefined };
    },
    async publish(artifact, _content, signal) {
      const missing = await keysToPut(artifact, async (key) => {
        const found = await look(nameOf(artifact, key), signal);
        return found !== undefined && sameDigest(found.digest, artifact.content);
      });
      for (const key of missing) {
        const request = create(PushDirectoryRequestSchema, {
          instanceName: calls.instanceName,
          uris: [directoryPrefix + nameOf(artifact, key)],
          rootDirectoryDigest: digestMessage(artifact.content),
        });
        await calls.unary(`${pushService}/PushDirectory`, toBinary(PushDirectoryRequestSchema, request), signal);
      }
      return missing.length === 0 ? "present" : "published";
    },
  };
}
