import { fromBinary } from "@bufbuild/protobuf";
import { StatusSchema } from "../../../src/gen/google/rpc/status_pb.ts";
import { RpcError } from "../../../src/rpc/client/rpc-error.ts";
import { grpcStatusName } from "../../../src/rpc/status.ts";
import type { Case, Server } from "../case.ts";
import { newUri } from "../support/assets.ts";
import { blobOf, newBlob, type TestBlob } from "../support/blobs.ts";
import { readAll, readName, writeBlob } from "../support/byte-stream.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { expectBytes, expectOk, expectStatus, expectTrue, statusOf } from "../support/expect.ts";
import { cacheCapabilities } from "./capabilities.ts";

const source = "BuildStream: takes RESOURCE_EXHAUSTED for a finished push, and tries again after UNAVAILABLE";

/** What a full cache says to an upload. */
const refusal = "UNAVAILABLE";

/** More than the quota of the small server that the cases ask for, in blobs of this size. */
const blobBytes = 1 << 20;
const maxBlobs = 256;

type Store = (blob: TestBlob) => Promise<string>;

/** The status that a blob has of a batch of its own, or the whole batch. */
const byBatch =
  ({ cas }: Endpoint, instanceName: string): Store =>
  async (blob) => {
    let code = 0;
    const call = cas.batchUpdateBlobs({ instanceName, requests: [blob] }).then(({ responses }) => {
      code = responses[0]?.status?.code ?? 0;
    });
    const status = await statusOf(call);
    return status === "OK" ? grpcStatusName(code) : status;
  };

const byStream =
  (endpoint: Endpoint, instance: string): Store =>
  (blob) =>
    statusOf(writeBlob(endpoint, instance, blob));

/** Stores blobs until one is refused, and gives the others and the refused one. */
async function fill(store: Store): Promise<{ taken: TestBlob[]; refused: TestBlob }> {
  const taken: TestBlob[] = [];
  while (taken.length < maxBlobs) {
    const blob = newBlob(blobBytes);
    const status = await store(blob);
    if (status !== "OK") {
      expectTrue(status === refusal, `an upload to a full cache: expected ${refusal}, got ${status}`);
      return { taken, refused: blob };
    }
    taken.push(blob);
  }
  throw new Error(`${maxBlobs} MiB are taken by a cache with a small quota`);
}

/** What a full cache still does: it serves, and takes names. */
async function stillServes(
  server: Server,
  small: Endpoint,
  taken: readonly TestBlob[],
  refused: TestBlob,
): Promise<void> {
  const { instance: instanceName } = server;
  for (const { digest, data } of taken.slice(-3)) {
    const read = readAll(small, { resourceName: readName(instanceName, digest) });
    expectBytes(await expectOk(read, "Read of what was taken"), data, "Read of what was taken");
  }
  const uris = [newUri()];
  await expectOk(
    small.push.pushBlob({ instanceName, uris, blobDigest: refused.digest }),
    "PushBlob of what was refused",
  );
  await expectStatus(small.fetch.fetchBlob({ instanceName, uris }), "notFound", "FetchBlob of what was refused");
  const { missingBlobDigests } = await small.cas.findMissingBlobs({ instanceName, blobDigests: [refused.digest] });
  expectTrue(missingBlobDigests.length === 1, "the refused blob is said to be there");
}

/** Chunks and blobs that are made here take room as those that come. */
async function makesNoRoom(
  { instance: instanceName }: Server,
  small: Endpoint,
  taken: readonly TestBlob[],
): Promise<void> {
  const { splitBlobSupport, spliceBlobSupport } = await cacheCapabilities(small, instanceName);
  const [first, second] = taken;
  if (first === undefined || second === undefined) return;
  if (splitBlobSupport) {
    const call = small.cas.splitBlob({ instanceName, blobDigest: first.digest });
    await expectStatus(call, "unavailable", "SplitBlob in a full cache");
  }
  if (!spliceBlobSupport) return;
  const blobDigest = blobOf(Buffer.concat([first.data, second.data])).digest;
  const chunkDigests = [first.digest, second.digest];
  const call = small.cas.spliceBlob({ instanceName, blobDigest, chunkDigests });
  await expectStatus(call, "unavailable", "SpliceBlob in a full cache");
}

export const fullCases: readonly Case[] = [
  {
    id: "full/batch",
    title:
      "a full cache refuses batches so that clients try again, keeps what it took, and never serves what it refused",
    source,
    needs: ["small"],
    async run(server) {
      const small = server.connect("small");
      const { taken, refused } = await fill(byBatch(small, server.instance));
      await stillServes(server, small, taken, refused);
      await makesNoRoom(server, small, taken);
    },
  },
  {
    id: "full/stream",
    title:
      "a full cache refuses streams so that clients try again, keeps what it took, and never serves what it refused",
    source,
    needs: ["small"],
    async run(server) {
      const small = server.connect("small");
      const { taken, refused } = await fill(byStream(small, server.instance));
      await stillServes(server, small, taken, refused);
    },
  },
  {
    id: "full/when-to-retry",
    title: "a client that is told to try again is told when",
    source: "google/rpc/error_details.proto, RetryInfo; casd waits for as long",
    needs: ["small"],
    async run(server) {
      const small = server.connect("small");
      const { refused } = await fill(byStream(small, server.instance));
      const error = await writeBlob(small, server.instance, refused).catch((error: unknown) => error);
      if (!(error instanceof RpcError)) throw new Error("Write again to a full cache: expected an error, got OK");
      expectTrue(error.status === refusal, `Write again to a full cache: expected ${refusal}, got ${error.status}`);
      const { details } = fromBinary(StatusSchema, error.details ?? new Uint8Array());
      expectTrue(
        details.some(({ typeUrl }) => typeUrl.endsWith("/google.rpc.RetryInfo")),
        `${refusal} without a RetryInfo`,
      );
    },
  },
  {
    id: "full/too-large",
    title: "a blob that no room can be made for is refused before it is sent",
    source,
    needs: ["small"],
    async run(server) {
      const small = server.connect("small");
      const { digest, data } = newBlob();
      const large = { digest: { hash: digest.hash, sizeBytes: BigInt(maxBlobs) << 20n }, data };
      const status = await byStream(small, server.instance)(large);
      expectTrue(status === refusal, `Write above the quota: expected ${refusal}, got ${status}`);
    },
  },
];
