import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, sameDigest } from "../../base/digest.ts";
import {
  GetReferenceRequestSchema,
  GetReferenceResponseSchema,
  UpdateReferenceRequestSchema,
} from "../../gen/buildstream/v2/reference_storage_pb.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { digestMessage, maxDirectoryBytes } from "./asset-calls.ts";
import {
  type Element,
  firstFound,
  keysToPut,
  lookingFor,
  nameOf,
  naming,
  type ProtocolIndex,
} from "./protocol-index.ts";
import { decodeAnswer, digestInAnswer } from "./server-answer.ts";

export const referenceService = "buildstream.v2.ReferenceStorage";

/**
 * Artifacts of BuildStream 1.1.4 to 1.6 by buildstream.v2.ReferenceStorage: `PROJECT/ELEMENT/KEY` leads to a Directory. An update names one key, as the clients of
 * all these releases do; the keys are put in their order, and after a failure between two of them the first ones are there, each whole.
 */
export function referenceIndex(calls: RemoteCalls): ProtocolIndex {
  const { instanceName } = calls;
  const look = async (element: Element, key: string, signal: AbortSignal): Promise<Digest | undefined> => {
    const message = create(GetReferenceRequestSchema, { instanceName, key: nameOf(element, key) });
    const request = toBinary(GetReferenceRequestSchema, message);
    const call = { method: `${referenceService}/GetReference`, request, doing: lookingFor(element, key) };
    const bytes = await calls.unaryOrMissing(call, signal);
    if (bytes === undefined) return undefined;
    const { digest } = decodeAnswer(GetReferenceResponseSchema, bytes, calls.name);
    return digestInAnswer(digest, maxDirectoryBytes, calls.name);
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
      const digest = digestMessage(artifact.content);
      for (const key of missing) {
        const update = create(UpdateReferenceRequestSchema, { instanceName, keys: [nameOf(artifact, key)], digest });
        const request = toBinary(UpdateReferenceRequestSchema, update);
        const call = { method: `${referenceService}/UpdateReference`, request, doing: naming(artifact) };
        await calls.unary(call, signal);
      }
      return missing.length === 0 ? "present" : "published";
    },
  };
}
