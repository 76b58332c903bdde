import type { Digest } from "../../base/digest.ts";
import type { DigestMessage } from "../../cache/artifact-message.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { fetchRequest, fetchResponse } from "./asset-messages.ts";
import { decodeAnswer, digestInAnswer } from "./server-answer.ts";

export const fetchService = "build.bazel.remote.asset.v1.Fetch";
export const pushService = "build.bazel.remote.asset.v1.Push";

/** A Directory that is the root of an artifact of 1.x has three entries; no server takes larger ones than this in a message. */
export const maxDirectoryBytes = 4 << 20;

interface AssetQuestion {
  /** FetchBlob or FetchDirectory, which are the same on the wire but for the name of the digest. */
  readonly method: string;
  /** Any of them; at least one. */
  readonly uris: readonly string[];
  readonly maxBytes: number;
  /** For messages. */
  readonly doing: string;
  readonly signal: AbortSignal;
}

interface FoundAsset {
  /** One of those that were asked for. */
  readonly uri: string;
  readonly digest: Digest;
}

/**
 * What the first of the URIs that a server knows leads to. It is not there where the call ends with NOT_FOUND, or its answer has that as a status. Errors: as of
 * RemoteCalls.
 */
export async function fetchAsset(calls: RemoteCalls, question: AssetQuestion): Promise<FoundAsset | undefined> {
  const { method, uris, maxBytes, doing, signal } = question;
  const request = fetchRequest.encode({ instanceName: calls.instanceName, uris });
  const bytes = await calls.unaryOrMissing({ method, request, doing }, signal);
  if (bytes === undefined) return undefined;
  const response = decodeAnswer(fetchResponse, bytes, calls.name);
  const code = response.status?.code ?? grpcStatus.ok;
  if (code === grpcStatus.notFound) return undefined;
  if (code !== grpcStatus.ok) throw await calls.failure(code, response.status?.message ?? "", doing, signal);
  const digest = digestInAnswer(response.digest, maxBytes, calls.name);
  if (digest === undefined) return undefined;
  const [only = ""] = uris;
  if (uris.length === 1) return { uri: only, digest };
  if (uris.includes(response.uri)) return { uri: response.uri, digest };
  // It does not say which one it is.
  for (const uri of uris) {
    const found = await fetchAsset(calls, { ...question, uris: [uri] });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As the fields of a Digest of the Remote Execution API. */
export function digestFields({ hash, size }: Digest): DigestMessage {
  return { hash, sizeBytes: size };
}
