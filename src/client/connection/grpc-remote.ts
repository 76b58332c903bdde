import { StillageError } from "../../base/errors.ts";
import { inTime } from "../../base/in-time.ts";
import type { Channel } from "../../rpc/client/channel.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import type { ArtifactIndex } from "../artifact-index.ts";
import type { CommitStore } from "../commit-store.ts";
import { artifactServiceIndex } from "../index/artifact-service-index.ts";
import { assetIndex } from "../index/asset-index.ts";
import { commitNameIndex } from "../index/commit-name-index.ts";
import { directoryIndex } from "../index/directory-index.ts";
import { joinedIndex } from "../index/joined-index.ts";
import type { ProtocolIndex } from "../index/protocol-index.ts";
import { referenceIndex } from "../index/reference-index.ts";
import type { BlobPlace } from "../place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { StorageCapabilities } from "../storage/capabilities.ts";
import { grpcBlobs } from "../storage/grpc-blobs.ts";
import { openChannel } from "./channel.ts";
import { type LazyCommits, lazyCommits } from "./lazy-commits.ts";
import { type Probed, probe } from "./probe.ts";
import { questions } from "./probe-questions.ts";
import type { Product } from "./product.ts";
import { RemoteCalls } from "./remote-calls.ts";
import type { ProtocolName, RemotePlace, RemoteProtocol } from "./remote-place.ts";
import { rpcFailure } from "./rpc-failure.ts";
import { mayPush, shortcomingsOf } from "./shortcomings.ts";

export interface GrpcRemoteOptions {
  /** Whether we mean to push, although the configuration does not say so. */
  readonly askPush?: boolean;
  /** As of RetryOptions. */
  readonly patient?: boolean;
  /** Of all that is done with the place. */
  readonly signal: AbortSignal;
}

/** What a small call may take. */
const callMs = 5000;

/** What calls in progress may take of the time of whoever is done. */
const closeMs = 1000;

/**
 * A server that speaks gRPC, once it has said what of it. Errors: as of `rpcFailure` where it cannot be reached; `unauthenticated` and `forbidden` where it lets us do nothing;
 * `unsupported` where it is no artifact cache.
 */
export async function openGrpcRemote(
  spec: RemoteSpec,
  { askPush = spec.push, patient = true, signal }: GrpcRemoteOptions,
): Promise<RemotePlace> {
  const channel = openChannel(spec);
  try {
    const probed = await probe({ channel, spec, askPush, patient, signal });
    const protocols = await probed.answers.protocols();
    throwIfUseless(spec, protocols);
    return new GrpcRemote(channel, spec, probed, protocols, { askPush, signal });
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

class GrpcRemote implements RemotePlace {
  readonly name: string;
  readonly spec: RemoteSpec;
  readonly protocols: readonly RemoteProtocol[];
  readonly product: Product | undefined;
  readonly storage: StorageCapabilities | undefined;
  readonly shortcomings: readonly string[];
  readonly index: ArtifactIndex | undefined;
  readonly blobs: BlobPlace | undefined;
  readonly writable: boolean;
  readonly commits: CommitStore | undefined;
  private readonly channel: Channel;
  private readonly lazy: LazyCommits | undefined;

  constructor(
    channel: Channel,
    spec: RemoteSpec,
    { answers, product }: Probed,
    protocols: readonly RemoteProtocol[],
    { askPush, signal }: { readonly askPush: boolean; readonly signal: AbortSignal },
  ) {
    this.name = spec.name;
    this.spec = spec;
    this.channel = channel;
    this.protocols = protocols;
    this.product = product;
    this.shortcomings = shortcomingsOf(spec, protocols);
    this.writable = askPush && mayPush(spec, protocols);
    const calls = new RemoteCalls(channel, spec);
    // Our own serve those of 1.0 as well, and list all.
    this.lazy =
      product === undefined || spec.type !== "all" ? undefined : lazyCommits({ ...spec, push: askPush }, signal);
    this.commits = this.lazy?.commits;
    const indexes = protocolIndexes(calls, protocols, product, this.lazy !== undefined);
    this.index =
      indexes.length === 0 ? undefined : joinedIndex({ calls, protocols: indexes, listed: product !== undefined });
    const blobs = protocols.find(({ name }) => name === "CAS");
    this.blobs = blobs?.pull.kind === "allowed" ? grpcBlobs(channel, spec, answers.storage) : undefined;
    this.storage = blobs === undefined ? undefined : answers.storage;
  }

  get certificateEnd(): number | undefined {
    const { certificateEnd } = this.channel;
    return Number.isNaN(certificateEnd) ? undefined : certificateEnd;
  }

  async roundTrip(signal: AbortSignal): Promise<number> {
    const [protocol] = this.protocols.filter(({ pull }) => pull.kind === "allowed");
    const began = performance.now();
    try {
      await this.channel.unary(smallCalls[protocol?.name ?? "CAS"], new Uint8Array(0), { signal, timeoutMs: callMs });
    } catch (error) {
      // Most refuse a call that asks for nothing, which takes as long.
      const failure = await rpcFailure(error, this.spec, "measuring how fast it answers", signal);
      if (!(error instanceof RpcError) || passing.has(failure.code)) throw failure;
    }
    return performance.now() - began;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lazy?.[Symbol.asyncDispose]();
    await inTime(this.channel.close(), closeMs, undefined);
    this.channel.destroy();
  }
}

const passing = new Set<StillageError["code"]>(["unavailable", "deadline", "cancelled"]);

const smallCalls: Readonly<Record<ProtocolName, string>> = {
  "Remote Asset": questions.fetchBlob,
  "Remote Asset v1": questions.fetchDirectory,
  ReferenceStorage: questions.status,
  ArtifactService: questions.bstCapabilities,
  CAS: questions.findMissing,
  OSTree: "",
};

const indexOf: Readonly<Record<ProtocolName, ((calls: RemoteCalls) => ProtocolIndex) | undefined>> = {
  "Remote Asset": assetIndex,
  "Remote Asset v1": directoryIndex,
  ReferenceStorage: referenceIndex,
  ArtifactService: artifactServiceIndex,
  CAS: undefined,
  OSTree: undefined,
};

/** Stillage has one table behind the two protocols of 1.x, so that one of them is enough; elsewhere each has names of its own. */
function protocolIndexes(
  calls: RemoteCalls,
  protocols: readonly RemoteProtocol[],
  product: Product | undefined,
  withCommits: boolean,
): ProtocolIndex[] {
  const names = new Set(protocols.filter(({ pull }) => pull.kind === "allowed").map(({ name }) => name));
  if (product !== undefined && names.has("Remote Asset v1")) names.delete("ReferenceStorage");
  const indexes = [...names].flatMap((name) => indexOf[name]?.(calls) ?? []);
  return withCommits ? [...indexes, commitNameIndex(calls)] : indexes;
}

function throwIfUseless({ name }: RemoteSpec, protocols: readonly RemoteProtocol[]): void {
  if (protocols.some(({ pull }) => pull.kind === "allowed")) return;
  for (const kind of ["refused", "failed"] as const) {
    for (const { pull } of protocols) if (pull.kind === kind) throw pull.error;
  }
  throw new StillageError(
    "unsupported",
    `${name} is a gRPC server, and no artifact cache: it has none of the services of one`,
    {
      hint: "check host and port",
    },
  );
}
