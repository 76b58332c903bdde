import type { ArtifactContent } from "../../artifact/artifact-content.ts";
import { sameDigest } from "../../base/digest.ts";
import { maxProtoBytes } from "../../cache/artifact-needs.ts";
import { artifactPrefix } from "../../cache/artifact-ref-name.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { digestFields, fetchAsset, fetchService, pushService } from "./asset-calls.ts";
import { pushRequest } from "./asset-messages.ts";
import { type Element, keysToPut, lookingFor, nameOf, naming, type ProtocolIndex } from "./protocol-index.ts";

/**
 * Artifacts of 1.93.5 and later, and of BuildStream 2, by the Remote Asset API: blobs under `urn:fdc:buildstream.build:2020:artifact:PROJECT/ELEMENT/KEY`, each
 * an Artifact message. All keys of an artifact are put in one call, in place of what they led to: build logs have times in them, so that a rebuild has
 * another message under the same keys. A server that ends in that call has the names or has them not.
 */
export function assetIndex(calls: RemoteCalls): ProtocolIndex {
  const uriOf = (artifact: Element, key: string): string => artifactPrefix + nameOf(artifact, key);
  const look = (artifact: Element, keys: readonly string[], signal: AbortSignal) =>
    fetchAsset(calls, {
      method: `${fetchService}/FetchBlob`,
      uris: keys.map((key) => uriOf(artifact, key)),
      maxBytes: maxProtoBytes,
      doing: lookingFor(artifact, keys[0] ?? ""),
      signal,
    });
  return {
    generation: "2.x",
    async find({ project, element, keys }, signal) {
      const found = await look({ project, element }, keys, signal);
      if (found === undefined) return undefined;
      const known = keys.filter((key) => uriOf({ project, element }, key) === found.uri);
      return { project, element, keys: known, generation: "2.x", content: found.digest, message: undefined };
    },
    async publish(artifact, content, signal) {
      const missing = await keysToPut(artifact, async (key) => {
        const found = await look(artifact, [key], signal);
        return found !== undefined && sameDigest(found.digest, artifact.content);
      });
      if (missing.length === 0) return "present";
      const request = pushRequest.encode({
        instanceName: calls.instanceName,
        uris: missing.map((key) => uriOf(artifact, key)),
        digest: digestFields(artifact.content),
        referencesBlobs: references(content, "blob"),
        referencesDirectories: references(content, "directory"),
      });
      await calls.unary({ method: `${pushService}/PushBlob`, request, doing: naming(artifact) }, signal);
      return "published";
    },
  };
}

/** The digests of an artifact's parts of one kind, each once: of old artifacts several trees are the same, and some have none. */
function references({ parts }: ArtifactContent, walk: "blob" | "directory") {
  const digests = parts.filter((part) => part.walk === walk).map((part) => part.digest);
  return [...new Map(digests.map((digest) => [digest.hash, digest])).values()].map(digestFields);
}
