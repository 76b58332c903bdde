import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { startServer } from "../clients/support/stillage.ts";
import { newUri } from "../conformance/support/assets.ts";
import { blobOf, type DigestInit, newBlob, type TestBlob } from "../conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../conformance/support/byte-stream.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { temporaryDirectory } from "./store-blobs.ts";

/** What clients have sent, and which of it they were told to be there. */
class Record {
  readonly sent: TestBlob[] = [];
  readonly blobs: TestBlob[] = [];
  readonly assets: { readonly uri: string; readonly blob: TestBlob }[] = [];
  readonly chunks: DigestInit[] = [];
  readonly results: { readonly key: TestBlob; readonly output: TestBlob }[] = [];

  newBlob(size: number): TestBlob {
    const blob = newBlob(size);
    this.sent.push(blob);
    return blob;
  }
}

/** One round of every kind of write: a batch, a stream beside it, a blob put together and one cut up, then an asset and an action result that name what was stored. */
async function writeRound(endpoint: Endpoint, record: Record, round: number): Promise<void> {
  const batch = Array.from({ length: 40 }, (_, i) => record.newBlob(1 + (((round * 40 + i) * 997) % 30_000)));
  const large = record.newBlob(1_200_000 + (round % 4) * 1_500_000);
  const { responses } = await endpoint.cas.batchUpdateBlobs({ requests: batch });
  for (const [i, { status }] of responses.entries())
    if ((status?.code ?? 0) === 0) record.blobs.push(batch[i] as TestBlob);
  await writeBlob(endpoint, "", large);
  record.blobs.push(large);
  const parts = [batch[1] as TestBlob, large];
  const spliced = blobOf(Buffer.concat(parts.map(({ data }) => data)));
  record.sent.push(spliced);
  const chunkDigests = parts.map(({ digest }) => digest);
  await endpoint.cas.spliceBlob({ blobDigest: spliced.digest, chunkDigests });
  record.blobs.push(spliced);
  record.chunks.push(...(await endpoint.cas.splitBlob({ blobDigest: large.digest })).chunkDigests);
  const uri = newUri();
  await endpoint.push.pushBlob({ uris: [uri], blobDigest: large.digest });
  record.assets.push({ uri, blob: large });
  const key = newBlob();
  const output = batch[0] as TestBlob;
  await endpoint.actionCache.updateActionResult({
    actionDigest: key.digest,
    actionResult: { outputFiles: [{ path: "out", digest: output.digest }] },
  });
  record.results.push({ key, output });
}

/** All that was acknowledged is there and whole, and of the rest nothing is broken. */
async function check(endpoint: Endpoint, record: Record): Promise<void> {
  const all = await endpoint.cas.findMissingBlobs({ blobDigests: record.sent.map(({ digest }) => digest) });
  const missing = new Set(all.missingBlobDigests.map(({ hash }) => hash));
  for (const { digest } of record.blobs) assert.ok(!missing.has(digest.hash), `${digest.hash} was acknowledged`);
  for (const { digest, data } of record.sent) {
    if (missing.has(digest.hash)) continue;
    assert.deepEqual(Buffer.compare(await readAll(endpoint, { resourceName: readName("", digest) }), data), 0);
  }
  const chunks = await endpoint.cas.findMissingBlobs({ blobDigests: record.chunks });
  assert.deepEqual(chunks.missingBlobDigests, [], "chunks that a client was told of");
  for (const { uri, blob } of record.assets) {
    assert.equal((await endpoint.fetch.fetchBlob({ uris: [uri] })).blobDigest?.hash, blob.digest.hash);
  }
  for (const { key, output } of record.results) {
    const { outputFiles } = await endpoint.actionCache.getActionResult({ actionDigest: key.digest });
    assert.equal(outputFiles[0]?.digest?.hash, output.digest.hash);
  }
}

describe("a server whose process is killed while clients write", () => {
  it("has everything that it acknowledged, each time", async () => {
    await using directory = await temporaryDirectory();
    const record = new Record();
    for (const rounds of [3, 11, 17]) {
      const server = await startServer(directory.path);
      const endpoints = Array.from({ length: 4 }, () => openEndpoint(`grpc://${server.address}`));
      let begun = 0;
      const lanes = endpoints.map(async (endpoint) => {
        for (;;) {
          if (begun === rounds) process.kill(server.pid, "SIGKILL");
          await writeRound(endpoint, record, begun++);
        }
      });
      for (const { status, reason } of (await Promise.allSettled(lanes)) as PromiseRejectedResult[]) {
        assert.equal(status, "rejected");
        assert.ok(reason instanceof RpcError, String(reason));
      }
      await server.stop();
      for (const { channel } of endpoints) channel.destroy();

      await using again = await startServer(directory.path);
      const reader = openEndpoint(`grpc://${again.address}`);
      try {
        await check(reader, record);
      } finally {
        reader.channel.destroy();
      }
    }
    assert.ok(record.blobs.length > 500 && record.results.length > 10, "hardly anything was acknowledged");
  });
});

describe("a server whose disk loses writes", () => {
  it("acknowledges nothing then, and goes on when the disk does", async () => {
    await using directory = await temporaryDirectory();
    const record = new Record();
    const server = await startServer(directory.path);
    const endpoint = openEndpoint(`grpc://${server.address}`);
    try {
      await writeRound(endpoint, record, 0);
      const disk = await failSyncs(server.pid);
      const [small, large, key] = [record.newBlob(1000), record.newBlob(5_000_000), newBlob()];
      const { responses } = await endpoint.cas.batchUpdateBlobs({ requests: [small] });
      assert.notEqual(responses[0]?.status?.code ?? 0, 0, "a batch was acknowledged without a sync");
      await assert.rejects(writeBlob(endpoint, "", large), "a stream was acknowledged without a sync");
      const known = (record.blobs[0] as TestBlob).digest;
      await assert.rejects(endpoint.push.pushBlob({ uris: [newUri()], blobDigest: known }), "so was an asset");
      const actionResult = { outputFiles: [{ path: "out", digest: known }] };
      await assert.rejects(
        endpoint.actionCache.updateActionResult({ actionDigest: key.digest, actionResult }),
        "so was an action result",
      );
      await check(endpoint, record);
      await disk.mend();
      await writeRound(endpoint, record, 1);
      await check(endpoint, record);
    } finally {
      endpoint.channel.destroy();
      await server.stop();
    }
    await using again = await startServer(directory.path);
    const reader = openEndpoint(`grpc://${again.address}`);
    try {
      await check(reader, record);
    } finally {
      reader.channel.destroy();
    }
  });
});

/** From now on every fsync and fdatasync of a process fails with EIO, by strace. */
async function failSyncs(pid: number): Promise<{ mend(): Promise<void> }> {
  const calls = "fsync,fdatasync";
  const words = ["-f", "-p", String(pid), "-e", `trace=${calls}`, "-e", `inject=${calls}:error=EIO`];
  const strace = spawn("strace", words, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(strace, "exit");
  const lines = createInterface(strace.stderr);
  for await (const line of lines) {
    if (line.includes("attached")) break;
    assert.fail(`strace: ${line}`);
  }
  strace.stderr.resume();
  return {
    async mend() {
      strace.kill("SIGINT");
      await ended;
    },
  };
}
