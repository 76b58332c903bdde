import { randomBytes } from "node:crypto";
import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { digestOf } from "../../../src/base/digest.ts";
import { type DigestFunction, sha256 } from "../../../src/base/digest-function.ts";
import type { DigestFunction_Value } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Server } from "../case.ts";
import { expectEntry, expectOk } from "./expect.ts";
import type { Init } from "./init.ts";

/** A Digest message, as generated code takes it. */
export interface DigestInit {
  readonly hash: string;
  readonly sizeBytes: bigint;
}

export interface TestBlob {
  readonly digest: DigestInit;
  readonly data: Uint8Array;
}

export const emptyBlob: TestBlob = { digest: { hash: sha256.emptyHash, sizeBytes: 0n }, data: new Uint8Array(0) };

export function blobOf(data: Uint8Array, fn: DigestFunction = sha256): TestBlob {
  return { digest: { hash: digestOf(fn, data).hash, sizeBytes: BigInt(data.length) }, data };
}

/** Content that no server has seen. */
export function newBlob(size = 100, fn: DigestFunction = sha256): TestBlob {
  return blobOf(randomBytes(size), fn);
}

/** Content that no server has seen, and that compresses well: a random line, again and again. */
export function newText(size: number): TestBlob {
  return blobOf(Buffer.alloc(size, `${randomBytes(50).toString("hex")}\n`));
}

export function messageBlob<S extends DescMessage>(schema: S, message: Init<S>, fn?: DigestFunction): TestBlob {
  return blobOf(toBinary(schema, create(schema, message)), fn);
}

export const showDigest = ({ hash, sizeBytes }: DigestInit): string => `${hash}/${sizeBytes}`;

/** A batch ends behind the blob that reaches this, so that batches of small blobs fit whatever limit a server has. */
const batchBytes = 1 << 18;

/** Uploads blobs in batches; each must be taken. `digestFunction`: 0 leaves it to the hashes' length. */
export async function upload(
  server: Pick<Server, "cas">,
  instanceName: string,
  blobs: readonly TestBlob[],
  digestFunction: DigestFunction_Value = 0,
): Promise<void> {
  let from = 0;
  while (from < blobs.length) {
    let [to, bytes] = [from, 0];
    while (to < blobs.length && (to === from || bytes < batchBytes)) bytes += blobs[to++]?.data.length ?? 0;
    const requests = blobs.slice(from, to);
    from = to;
    const call = server.cas.batchUpdateBlobs({ instanceName, requests, digestFunction });
    const { responses } = await expectOk(call, "BatchUpdateBlobs");
    for (const { status } of responses) expectEntry(status, "ok", "BatchUpdateBlobs of a good blob");
  }
}

/** The digests, of those given, that FindMissingBlobs lists, as `hash/size`. */
export async function missing(
  server: Pick<Server, "cas">,
  instanceName: string,
  digests: readonly DigestInit[],
  digestFunction: DigestFunction_Value = 0,
): Promise<string[]> {
  const call = server.cas.findMissingBlobs({ instanceName, blobDigests: [...digests], digestFunction });
  return (await expectOk(call, "FindMissingBlobs")).missingBlobDigests.map(showDigest);
}

export async function isThere(
  server: Pick<Server, "cas">,
  instanceName: string,
  digest: DigestInit,
  digestFunction: DigestFunction_Value = 0,
): Promise<boolean> {
  return (await missing(server, instanceName, [digest], digestFunction)).length === 0;
}
