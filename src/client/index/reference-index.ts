import type { RemoteCalls } from "../connection/remote-calls.ts";
import { digestFields, maxDirectoryBytes } from "./asset-calls.ts";
import { type Found, indexOfKeys } from "./keys-one-by-one.ts";
import { type Element, lookingFor, nameOf, naming, type ProtocolIndex } from "./protocol-index.ts";
import { getReferenceRequest, getReferenceResponse, updateReferenceRequest } from "./reference-messages.ts";
import { decodeAnswer, digestInAnswer } from "./server-answer.ts";

const referenceService = "buildstream.v2.ReferenceStorage";

/**
 * Artifacts of BuildStream 1.1.4 to 1.6 by buildstream.v2.ReferenceStorage: `PROJECT/ELEMENT/KEY` leads to a Directory. An update names one key, as the clients of
 * all these releases do.
 */
export function referenceIndex(calls: RemoteCalls): ProtocolIndex {
  const { instanceName } = calls;
  const look = async (element: Element, key: string, signal: AbortSignal): Promise<Found | undefined> => {
    const request = getReferenceRequest.encode({ instanceName, key: nameOf(element, key) });
    const call = { method: `${referenceService}/GetReference`, request, doing: lookingFor(element, key) };
    const bytes = await calls.unaryOrMissing(call, signal);
    if (bytes === undefined) return undefined;
    const { digest } = decodeAnswer(getReferenceResponse, bytes, calls.name);
    const content = digestInAnswer(digest, maxDirectoryBytes, calls.name);
    return content && { content, message: undefined };
  };
  return indexOfKeys({
    generation: "1.x",
    look,
    async put(artifact, key, signal) {
      const names = { keys: [nameOf(artifact, key)], digest: digestFields(artifact.content) };
      const request = updateReferenceRequest.encode({ instanceName, ...names });
      const call = { method: `${referenceService}/UpdateReference`, request, doing: naming(artifact) };
      await calls.unary(call, signal);
    },
  });
}
