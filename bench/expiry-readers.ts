import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../src/base/digest.ts";
import { sha256 } from "../src/base/digest-function.ts";
import { Fetch, Push } from "../src/gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import {
  ActionCache,
  ContentAddressableStorage,
  DirectorySchema,
} from "../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { connect } from "../src/rpc/client/channel.ts";
import { client } from "../src/rpc/client/typed.ts";

/** Artifacts that are asked for again and again, and the files of each. */
const hotArtifacts = 40;
const filesOfArtifact = 200;
const fileBytes = 2000;

/** Results of actions that nobody asks for again, so that there are refs to be evicted. */
const results = 4000;
const inFlight = 32;

/** What a client waited for one call, in milliseconds. */
export interface Latencies {
  readonly read: readonly number[];
  readonly fetch: readonly number[];
}

const wire = ({ hash, size }: Digest): { hash: string; sizeBytes: bigint } => ({ hash, sizeBytes: BigInt(size) });

/** A client that pulls what is in use from a server. */
export class Readers implements Disposable {
  private readonly channel;
  private readonly cas;
  private readonly fetch;
  private readonly push;
  private readonly actions;
  private readonly uris: string[] = [];
  private readonly files: Digest[] = [];

  constructor(address: string) {
    this.channel = connect(`grpc://${address}`);
    this.cas = client(this.channel, ContentAddressableStorage);
    this.fetch = client(this.channel, Fetch);
    this.push = client(this.channel, Push);
    this.actions = client(this.channel, ActionCache);
  }

  /** Pushes what is to be pulled, and results that are not. */
  async prepare(): Promise<void> {
    for (let i = 0; i < hotArtifacts; i++) await this.pushTree(i);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next++ < results) await this.pushResult();
    };
    await Promise.all(Array.from({ length: inFlight }, work));
  }

  /** Calls one after the other, in two lanes, until `signal` is aborted. */
  async measure(signal: AbortSignal): Promise<Latencies> {
    const [read, fetch]: [number[], number[]] = [[], []];
    const any = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)] as T;
    const lane = async (into: number[], call: () => Promise<unknown>): Promise<void> => {
      while (!signal.aborted) {
        const started = performance.now();
        await call();
        into.push(performance.now() - started);
      }
    };
    await Promise.all([
      lane(read, () => this.cas.batchReadBlobs({ digests: [wire(any(this.files))] })),
      lane(fetch, () => this.fetch.fetchBlob({ uris: [any(this.uris)] })),
    ]);
    return { read, fetch };
  }

  [Symbol.dispose](): void {
    this.channel.destroy();
  }

  private async pushTree(i: number): Promise<void> {
    const contents = Array.from({ length: filesOfArtifact }, () => randomBytes(fileBytes));
    const digests = contents.map((bytes) => digestOf(sha256, bytes));
    const files = digests.map((digest, f) => ({ name: `file-${String(f).padStart(4, "0")}`, digest: wire(digest) }));
    const directory = toBinary(DirectorySchema, create(DirectorySchema, { files }));
    const root = digestOf(sha256, directory);
    const entry = (digest: Digest, data: Uint8Array) => ({ digest: wire(digest), data });
    const requests = [entry(root, directory), ...contents.map((bytes, f) => entry(digests[f] as Digest, bytes))];
    await this.cas.batchUpdateBlobs({ requests });
    const uri = `https://example.com/artifact/${i}`;
    await this.push.pushBlob({ uris: [uri], blobDigest: wire(root), referencesDirectories: [wire(root)] });
    this.uris.push(uri);
    this.files.push(...digests);
  }

  private async pushResult(): Promise<void> {
    const data = randomBytes(1000);
    const digest = wire(digestOf(sha256, data));
    await this.cas.batchUpdateBlobs({ requests: [{ digest, data }] });
    const actionDigest = wire(digestOf(sha256, randomBytes(10)));
    await this.actions.updateActionResult({ actionDigest, actionResult: { outputFiles: [{ path: "out", digest }] } });
  }
}
