import assert from "node:assert/strict";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ArtifactSchema } from "../../src/gen/buildstream/v2/artifact_pb.ts";
import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { run } from "../cli/support/programs.ts";
import { startServer } from "../clients/support/stillage.ts";
import { messageBlob, newBlob, type TestBlob } from "../conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../conformance/support/byte-stream.ts";
import { directoryOf } from "../conformance/support/directories.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const quota = 48 << 20;
/** What is being written when somebody looks: the quota is checked before. */
const inFlight = 4 << 20;
/** As the answers of fetches have it. */
const notFound = 5;
const rounds = 30;
const clients = 2;
/** A round takes no less: what is pushed within the lease has to be a part of the quota. */
const roundMs = 400;

/** Something that was pushed, and all that it needs. */
interface Pushed {
  readonly key: string;
  readonly kind: "artifact" | "asset" | "result";
  readonly blobs: readonly TestBlob[];
}

const artifactUri = (key: string): string => `urn:fdc:buildstream.build:2020:artifact:project/element/${key}`;

/** Calls again as clients do that are told to try again. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RpcError) || error.status !== "UNAVAILABLE" || attempt === 20) throw error;
      await delay(100);
    }
  }
}

async function uploadAll(endpoint: Endpoint, blobs: readonly TestBlob[]): Promise<void> {
  for (const blob of blobs.filter(({ data }) => data.length > 1 << 20)) {
    await patiently(() => writeBlob(endpoint, "", blob));
  }
  let requests = blobs.filter(({ data }) => data.length <= 1 << 20);
  for (let attempt = 0; requests.length > 0; attempt++) {
    assert.ok(attempt < 20, "blobs are taken in the end");
    const { responses } = await patiently(() => endpoint.cas.batchUpdateBlobs({ requests }));
    const refused = new Set(
      responses.filter(({ status }) => (status?.code ?? 0) !== 0).map(({ digest }) => digest?.hash),
    );
    requests = requests.filter(({ digest }) => refused.has(digest.hash));
  }
}

async function push(endpoint: Endpoint, kind: Pushed["kind"]): Promise<Pushed> {
  const files = Array.from({ length: 20 }, (_, i) => newBlob(1000 + i * 1500));
  const child = directoryOf({ files: files.slice(10) });
  const root = directoryOf({ files: files.slice(0, 10), directories: [child] });
  const key = newBlob();
  if (kind === "artifact") {
    const log = newBlob(3000);
    const message = messageBlob(ArtifactSchema, {
      version: 2,
      files: root.digest,
      logs: [{ name: "log", digest: log.digest }],
    });
    const blobs = [...files, child, root, log, message];
    await uploadAll(endpoint, blobs);
    const references = { referencesDirectories: [root.digest], referencesBlobs: [log.digest] };
    await endpoint.push.pushBlob({ uris: [artifactUri(key.digest.hash)], blobDigest: message.digest, ...references });
    return { key: key.digest.hash, kind, blobs };
  }
  if (kind === "asset") {
    const large = newBlob(1_100_000);
    await uploadAll(endpoint, [large]);
    await endpoint.push.pushBlob({ uris: [`https://example.com/${key.digest.hash}`], blobDigest: large.digest });
    return { key: key.digest.hash, kind, blobs: [large] };
  }
  const blobs = [...files, child, root];
  await uploadAll(endpoint, blobs);
  await endpoint.actionCache.updateActionResult({
    actionDigest: key.digest,
    actionResult: {
      outputFiles: [{ path: "out", digest: (files[0] as TestBlob).digest }],
      outputDirectories: [{ path: "dir", rootDirectoryDigest: root.digest }],
    },
  });
  return { key: `${key.digest.hash}/${key.digest.sizeBytes}`, kind, blobs };
}

/** Whether something is served; what is, is whole. */
async function served(endpoint: Endpoint, { key, kind, blobs }: Pushed): Promise<boolean> {
  const [hash = "", size = "0"] = key.split("/");
  const actionDigest = { hash, sizeBytes: BigInt(size) };
  const ask: Record<Pushed["kind"], () => Promise<{ readonly status?: { code: number } | undefined } | object>> = {
    artifact: () => endpoint.fetch.fetchBlob({ uris: [artifactUri(key)] }),
    asset: () => endpoint.fetch.fetchBlob({ uris: [`https://example.com/${key}`] }),
    result: () => endpoint.actionCache.getActionResult({ actionDigest }),
  };
  try {
    const answer = await ask[kind]();
    if ("status" in answer && (answer.status?.code ?? 0) === notFound) return false;
  } catch (error) {
    if (error instanceof RpcError && error.status === "NOT_FOUND") return false;
    throw error;
  }
  const { missingBlobDigests } = await endpoint.cas.findMissingBlobs({
    blobDigests: blobs.map(({ digest }) => digest),
  });
  assert.deepEqual(missingBlobDigests, [], `all of a ${kind} that is served`);
  for (const { digest, data } of blobs) {
    const bytes = await readAll(endpoint, { resourceName: readName("", digest) });
    assert.equal(Buffer.compare(bytes, data), 0, `what the server called present`);
  }
  return true;
}

async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = entries.map(async (each) => {
    if (!each.isFile()) return 0;
    const stats = await lstat(join(each.parentPath, each.name)).catch(() => undefined); // gone meanwhile
    return (stats?.blocks ?? 0) * 512;
  });
  return (await Promise.all(sizes)).reduce((sum, each) => sum + each, 0);
}

describe("a server with a quota, and clients that push more than it for ever", () => {
  it("takes all of it, keeps to the quota, and serves what is whole: what is pinned, in use, or new", async () => {
    await using directory = await temporaryDirectory();
    const store = join(directory.path, "store");
    await using server = await startServer(store, ["--quota", String(quota), "--lease", "1s", "--log-level", "debug"]);
    const endpoints = Array.from({ length: clients }, () => openEndpoint(`grpc://${server.address}`));
    const endpoint = endpoints[0] as Endpoint;
    try {
      const pinned = await push(endpoint, "artifact");
      const pinning = ["pin", "--store", store, `project/element/${pinned.key}`];
      const { status, stderr } = await run("stillage", pinning, { cwd: directory.path });
      assert.equal(status, 0, stderr);
      const favourite = await push(endpoint, "artifact");
      const pushed: Pushed[] = [];
      let most = 0;
      const kinds = ["artifact", "asset", "result"] as const;
      for (let round = 0; round < rounds; round++) {
        const pause = delay(roundMs);
        const news = endpoints.map(async (each) => {
          for (const kind of kinds) pushed.push(await push(each, kind));
        });
        await Promise.all(news);
        most = Math.max(most, await bytesIn(store));
        assert.ok(await served(endpoint, favourite), `in use, round ${round}\n${server.log()}`);
        const any = pushed[Math.floor(Math.random() * pushed.length)];
        if (any !== undefined) await served(endpoint, any);
        await pause;
      }
      assert.ok(most <= quota + inFlight, `${most} bytes on the disk`);
      const all = [];
      for (const each of pushed) all.push(await served(endpoint, each));
      const gone = all.filter((there) => !there).length;
      assert.ok(gone > pushed.length / 4, `${gone} of ${pushed.length} went`);
      assert.ok(all.slice(-clients * kinds.length).every(Boolean), "the last round is all there");
      assert.ok(await served(endpoint, pinned), "what is pinned");
      assert.match(server.log(), /"msg":"swept"/);
    } finally {
      for (const { channel } of endpoints) channel.destroy();
    }
  });
});
