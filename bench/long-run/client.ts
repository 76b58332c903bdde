import { setTimeout as delay } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { sha256 } from "../../src/base/digest-function.ts";
import { hashOf } from "../../src/base/hash.ts";
import { DirectorySchema } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../../src/gen/buildstream/v2/artifact_pb.ts";
import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { type DigestInit, showDigest, type TestBlob } from "../../test/conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../../test/conformance/support/byte-stream.ts";
import { type Endpoint, openEndpoint } from "../../test/conformance/support/endpoint.ts";
import { type Build, build, urisOf } from "./element.ts";
import type { Ledger } from "./ledger.ts";
import type { Tally } from "./tally.ts";

/** Blobs above this are streamed; batches end behind the blob that reaches `batchBytes`. */
const streamedBytes = 1 << 20;
const batchBytes = 2 << 20;

/** Statuses of a server that is not there or has no room now: BuildStream tries again. */
const passing = new Set(["UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"]);
const pauseMs = 500;
const callMs = 60_000;

export interface Work {
  /** Where the server listens at this moment. */
  readonly address: () => string;
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** Which version of which element is wanted next. */
  readonly next: () => { readonly element: number; readonly version: number };
  /** For so long, in milliseconds, what was used is there for certain. */
  readonly leaseMs: number;
  /** Waits so that no more than the wanted bytes a second are pushed. */
  readonly pace: (bytes: number) => Promise<void>;
}

/** One builder: pulls each element that it wants where that is cached, and otherwise builds and pushes it, until `signal`. */
export async function runBuilder(work: Work, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const endpoint = openEndpoint(`grpc://${work.address()}`);
    try {
      for (let i = 0; i < 50 && !signal.aborted; i++) await want(endpoint, work);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (isRefusal(error)) work.tally.refused++;
      else work.tally.interrupted++;
      await delay(pauseMs);
    } finally {
      endpoint.channel.destroy();
    }
  }
}

async function want(endpoint: Endpoint, work: Work): Promise<void> {
  const { ledger, tally } = work;
  const { element, version } = work.next();
  const { life } = ledger;
  const digest = await find(endpoint, urisOf(element, version)[0] as string);
  if (digest !== undefined) {
    const problem = await pull(endpoint, digest, tally);
    // A server that was killed meanwhile may have told of uses that it had not written down.
    if (problem === undefined) ledger.found(element, version);
    else if (life === ledger.life) tally.violation(`half an artifact: ${element}/${version}: ${problem}`);
    return;
  }
  const entry = ledger.missed(element, version);
  if (entry !== undefined) {
    tally.evicted++;
    const age = Date.now() - entry.used;
    if (entry.life === ledger.life && age < work.leaseMs)
      tally.violation(`lost: ${element}/${version}, which was used ${Math.round(age / 1000)} s ago`);
  }
  const built = build(element, version);
  const bytes = await push(endpoint, built, work.pace);
  tally.pushedBytes += bytes;
  ledger.acknowledged(element, version);
  tally.pushed++;
}

/** The digest of the artifact's message, where the server has it whole. */
export async function find(endpoint: Endpoint, uri: string): Promise<DigestInit | undefined> {
  try {
    const { blobDigest } = await endpoint.fetch.fetchBlob({ uris: [uri] }, { timeoutMs: callMs });
    return blobDigest;
  } catch (error) {
    if (error instanceof RpcError && error.status === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** Reads everything that an artifact needs, and says what is wrong with it. */
export async function pull(endpoint: Endpoint, message: DigestInit, tally: Tally): Promise<string | undefined> {
  try {
    const artifact = fromBinary(ArtifactSchema, await readBlob(endpoint, message, tally));
    const { files, publicData, lowDiversityMeta, highDiversityMeta, logs } = artifact;
    const blobs = [publicData, lowDiversityMeta, highDiversityMeta, ...logs.map(({ digest }) => digest)];
    const directories = [files];
    for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
      const directory = fromBinary(DirectorySchema, await readBlob(endpoint, next, tally));
      directories.push(...directory.directories.map(({ digest }) => digest));
      blobs.push(...directory.files.map(({ digest }) => digest));
    }
    await readBlobs(
      endpoint,
      blobs.filter((each) => each !== undefined),
      tally,
    );
    tally.pulled++;
    return undefined;
  } catch (error) {
    if (isPassing(error)) throw error;
    return (error as Error).message;
  }
}

async function readBlobs(endpoint: Endpoint, digests: readonly DigestInit[], tally: Tally): Promise<void> {
  const small = digests.filter(({ sizeBytes }) => sizeBytes <= streamedBytes);
  for (const batch of batches(small, ({ sizeBytes }) => Number(sizeBytes))) {
    const { responses } = await endpoint.cas.batchReadBlobs({ digests: [...batch] }, { timeoutMs: callMs });
    if (responses.length !== batch.length) throw new Error(`${batch.length} blobs asked for, ${responses.length} came`);
    for (const { digest, data, status } of responses) {
      if (digest === undefined || (status?.code ?? 0) !== 0) {
        throw new Error(`a blob is not there: ${digest?.hash}: ${status?.message}`);
      }
      verify(digest, data, tally);
    }
  }
  for (const digest of digests) if (digest.sizeBytes > streamedBytes) await readBlob(endpoint, digest, tally);
}

async function readBlob(endpoint: Endpoint, digest: DigestInit, tally: Tally): Promise<Uint8Array> {
  const data = await readAll(endpoint, { resourceName: readName("", digest) }, { timeoutMs: callMs });
  verify(digest, data, tally);
  return data;
}

function verify({ hash }: DigestInit, data: Uint8Array, tally: Tally): void {
  if (hashOf(sha256, data) !== hash) throw new Error(`other bytes than those of ${hash} came`);
  tally.pulledBytes += data.length;
}

/** Pushes as BuildStream does: what is missing, then the names. Returns the bytes that were missing. `pace` is waited for before they go. */
export async function push(
  endpoint: Endpoint,
  { uris, artifact, blobs }: Build,
  pace?: (bytes: number) => Promise<void>,
): Promise<number> {
  const byKey = new Map(blobs.map((blob) => [showDigest(blob.digest), blob]));
  const blobDigests = [...byKey.values()].map(({ digest }) => digest);
  const { missingBlobDigests } = await endpoint.cas.findMissingBlobs({ blobDigests }, { timeoutMs: callMs });
  const lacking = missingBlobDigests.map((digest) => byKey.get(showDigest(digest)) as TestBlob);
  const bytes = lacking.reduce((sum, { data }) => sum + data.length, 0);
  await pace?.(bytes);
  const small = lacking.filter(({ data }) => data.length <= streamedBytes);
  for (const requests of batches(small, ({ data }) => data.length)) {
    const { responses } = await endpoint.cas.batchUpdateBlobs({ requests: [...requests] }, { timeoutMs: callMs });
    for (const { status } of responses) {
      if ((status?.code ?? 0) !== 0) throw new RpcError(status?.code ?? 0, status?.message ?? "");
    }
  }
  for (const blob of lacking) if (blob.data.length > streamedBytes) await writeBlob(endpoint, "", blob);
  const request = { uris: [...uris], blobDigest: artifact.digest };
  await endpoint.push.pushBlob(request, { timeoutMs: callMs });
  return bytes;
}

function* batches<T>(items: readonly T[], sizeOf: (item: T) => number): Generator<readonly T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    batch.push(item);
    bytes += sizeOf(item);
    if (bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** A store that is full of what is leased says so. */
function isRefusal(error: unknown): boolean {
  return error instanceof RpcError && error.message.startsWith("the store is full");
}

function isPassing(error: unknown): boolean {
  return error instanceof RpcError && passing.has(error.status);
}
