import { randomBytes } from "node:crypto";
import type {
  FetchBlobRequestSchema,
  FetchBlobResponse,
  FetchDirectoryRequestSchema,
  FetchDirectoryResponse,
  PushBlobRequestSchema,
  PushDirectoryRequestSchema,
} from "../../../src/gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import { RpcError } from "../../../src/rpc/client/rpc-error.ts";
import { grpcStatusName } from "../../../src/rpc/status.ts";
import type { Server } from "../case.ts";
import type { DigestInit } from "./blobs.ts";
import { expectEqual, expectOk } from "./expect.ts";
import type { Init } from "./init.ts";

const key = (): string => randomBytes(32).toString("hex");

/** A URI that nothing was pushed under. */
export const newUri = (): string => `https://example.com/${key()}`;
export const newArtifactUri = (): string => `urn:fdc:buildstream.build:2020:artifact:project/element/${key()}`;
export const newSourceUri = (): string => `urn:fdc:buildstream.build:2020:source:${key()}`;

type Fetch = Init<typeof FetchBlobRequestSchema> & Init<typeof FetchDirectoryRequestSchema>;

/** What a fetch came to: the hash found, or the name of a status, which may come as the call's or in the answer. */
export interface Fetched {
  readonly status: string;
  readonly hash: string | undefined;
  readonly uri: string;
  readonly expires: bigint | undefined;
}

const absent = { hash: undefined, uri: "", expires: undefined };

async function outcome<A extends FetchBlobResponse | FetchDirectoryResponse>(
  call: Promise<A>,
  digestOf: (answer: A) => DigestInit | undefined,
): Promise<Fetched> {
  try {
    const answer = await call;
    const status = grpcStatusName(answer.status?.code ?? 0);
    if (status !== "OK") return { status, ...absent };
    return { status, hash: digestOf(answer)?.hash, uri: answer.uri, expires: answer.expiresAt?.seconds };
  } catch (error) {
    if (error instanceof RpcError) return { status: error.status, ...absent };
    throw error;
  }
}

export async function fetchBlob(server: Server, request: Fetch): Promise<Fetched> {
  const call = server.fetch.fetchBlob({ instanceName: server.instance, ...request });
  return outcome(call, ({ blobDigest }) => blobDigest);
}

export async function fetchDirectory(server: Server, request: Fetch): Promise<Fetched> {
  const call = server.fetch.fetchDirectory({ instanceName: server.instance, ...request });
  return outcome(call, ({ rootDirectoryDigest }) => rootDirectoryDigest);
}

export async function pushBlob(server: Server, request: Init<typeof PushBlobRequestSchema>): Promise<void> {
  await expectOk(server.push.pushBlob({ instanceName: server.instance, ...request }), "PushBlob");
}

export async function pushDirectory(server: Server, request: Init<typeof PushDirectoryRequestSchema>): Promise<void> {
  await expectOk(server.push.pushDirectory({ instanceName: server.instance, ...request }), "PushDirectory");
}

/** Fails unless the fetch found just this. */
export function expectFound(fetched: Fetched, { hash }: DigestInit, what: string): void {
  expectEqual(fetched.status, "OK", what);
  if (fetched.hash !== hash) throw new Error(`${what}: another digest was found`);
}

export function expectMiss(fetched: Fetched, what: string): void {
  expectEqual(fetched.status, "NOT_FOUND", what);
}
