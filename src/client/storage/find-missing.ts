import { type Digest, isEmptyBlob } from "../../base/digest.ts";
import { AskedDigests } from "./asked-digests.ts";
import { encodeDigestQuestion } from "./digest-question.ts";
import { decodeMissing } from "./find-missing-message.ts";
import { doAll } from "./lanes.ts";
import { decodeAnswer } from "./message-parts.ts";
import { casService, checkFunction, type StorageServer } from "./storage-server.ts";

/** Digests in one question: some 600 KB. BuildStream asks for up to 13,108, so every server takes that. */
const maxAsked = 8192;

/** What a server with a slow disk may take to look for one. */
const lookPatienceMs = 5;

/** Each digest once, without that of the empty blob, in the order in which they came. */
export function distinctDigests(digests: readonly Digest[]): Digest[] {
  const found = new Map<string, Digest>();
  for (const digest of digests) {
    checkFunction(digest);
    if (!isEmptyBlob(digest)) found.set(digest.hash, digest);
  }
  return [...found.values()];
}

/** See BlobSink.missing. */
export async function findMissing(
  server: StorageServer,
  digests: readonly Digest[],
  signal: AbortSignal,
): Promise<Digest[]> {
  const distinct = distinctDigests(digests);
  const questions: Digest[][] = [];
  for (let at = 0; at < distinct.length; at += maxAsked) questions.push(distinct.slice(at, at + maxAsked));
  const missing = new Set<Digest>();
  await doAll(questions, server.questions, signal, async (asked, stop) => {
    const request = encodeDigestQuestion(server.instance, asked);
    const answer = await server.withRetries("asking for what is missing", stop, async () => {
      const patienceMs = asked.length * lookPatienceMs;
      const options = { signal: stop, patienceMs };
      const response = await server.channel.unary(`${casService}/FindMissingBlobs`, request, options);
      return decodeAnswer(() => decodeMissing(response, new AskedDigests(asked)));
    });
    for (const digest of answer) missing.add(digest);
  });
  return distinct.filter((digest) => missing.has(digest));
}
