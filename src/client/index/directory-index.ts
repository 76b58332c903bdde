import { StillageError } from "../../base/errors.ts";
import { directoryPrefix } from "../../cache/artifact-ref-name.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { digestFields, fetchAsset, fetchService, maxDirectoryBytes, pushService } from "./asset-calls.ts";
import { pushRequest } from "./asset-messages.ts";
import { type Found, indexOfKeys } from "./keys-one-by-one.ts";
import { type Element, lookingFor, nameOf, naming, type ProtocolIndex } from "./protocol-index.ts";

/**
 * Artifacts of BuildStream 1.5.1 to 1.6 by the Remote Asset API: directories under `urn:fdc:buildstream.build:2020:v1:PROJECT/ELEMENT/KEY`, one URI to a call and
 * nothing referred to, as these clients ask.
 */
export function directoryIndex(calls: RemoteCalls): ProtocolIndex {
  const look = async (element: Element, key: string, signal: AbortSignal): Promise<Found | undefined> => {
    const found = await fetchAsset(calls, {
      method: `${fetchService}/FetchDirectory`,
      uris: [directoryPrefix + nameOf(element, key)],
      maxBytes: maxDirectoryBytes,
      doing: lookingFor(element, key),
      signal,
    }).catch(absentWhereForbidden);
    return found && { content: found.digest, message: undefined };
  };
  return indexOfKeys({
    generation: "1.x",
    look,
    async put(artifact, key, signal) {
      const request = pushRequest.encode({
        instanceName: calls.instanceName,
        uris: [directoryPrefix + nameOf(artifact, key)],
        digest: digestFields(artifact.content),
      });
      await calls.unary({ method: `${pushService}/PushDirectory`, request, doing: naming(artifact) }, signal);
    },
  });
}

/**
 * bb-remote-asset says PERMISSION_DENIED of a directory that nobody pushed, because it would have to fetch it. Whoever may not pull at all has been refused before, when
 * the server was asked what it speaks.
 */
function absentWhereForbidden(error: unknown): undefined {
  if (error instanceof StillageError && error.code === "forbidden") return undefined;
  throw error;
}
