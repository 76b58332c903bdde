import { contentOfMessage } from "../../artifact/message-content.ts";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { maxProtoBytes } from "../../cache/artifact-needs.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { getArtifactRequest, updateArtifactRequest } from "./artifact-service-messages.ts";
import { type Found, indexOfKeys } from "./keys-one-by-one.ts";
import { type Element, lookingFor, nameOf, naming, type ProtocolIndex } from "./protocol-index.ts";
import { understood } from "./server-answer.ts";

export const artifactService = "buildstream.v2.ArtifactService";

/**
 * Artifacts of BuildStream 1.91 to 1.93.4 by buildstream.v2.ArtifactService: the Artifact message itself stands under `PROJECT/ELEMENT/KEY`, and is no blob.
 * Its own clients push nothing where either key is known.
 */
export function artifactServiceIndex(calls: RemoteCalls): ProtocolIndex {
  const { instanceName } = calls;
  const look = async (element: Element, key: string, signal: AbortSignal): Promise<Found | undefined> => {
    const request = getArtifactRequest.encode({ instanceName, cacheKey: nameOf(element, key) });
    const call = { method: `${artifactService}/GetArtifact`, request, doing: lookingFor(element, key) };
    const message = await calls.unaryOrMissing(call, signal);
    if (message === undefined) return undefined;
    if (message.length > maxProtoBytes) throw tooLarge(calls.name, message.length);
    understood(calls.name, () => contentOfMessage(message, sha256));
    return { content: digestOf(sha256, message), message };
  };
  return indexOfKeys({
    generation: "1.9x",
    look,
    async put(artifact, key, signal) {
      const { message } = artifact;
      if (message === undefined) throw new StillageError("internal", "an artifact of 1.9x came without its message");
      const names = { instanceName, cacheKey: nameOf(artifact, key) };
      const request = updateArtifactRequest.encode({ ...names, artifact: message });
      const call = { method: `${artifactService}/UpdateArtifact`, request, doing: naming(artifact) };
      await calls.unary(call, signal);
    },
  });
}

function tooLarge(name: string, bytes: number): StillageError {
  return new StillageError("unavailable", `${name} answers with an artifact's message of ${bytes} bytes`);
}
