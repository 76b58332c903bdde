import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { newUri } from "../conformance/support/assets.ts";
import { newBlob } from "../conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../conformance/support/byte-stream.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { http } from "../conformance/support/http.ts";
import type { Acknowledged } from "./corpus.ts";

/** A client that behaves: pushes and pulls of every kind, one after the other, until `signal`. Throws at any wrong answer. */
export async function behave(address: string, known: Acknowledged, signal: AbortSignal): Promise<void> {
  await delay(Math.random() * 3000); // they do not all come in the same moment
  while (!signal.aborted) {
    const endpoint = openEndpoint(`grpc://${address}`);
    try {
      for (let i = 0; i < 20 && !signal.aborted; i++) {
        const work = works[Math.floor(Math.random() * works.length)] as Work;
        await work(endpoint, known, address);
        await delay(300 + Math.random() * 600);
      }
    } finally {
      await endpoint.channel.close();
    }
  }
}

type Work = (endpoint: Endpoint, known: Acknowledged, address: string) => Promise<void>;

const works: readonly Work[] = [
  pushBatch,
  pushBatch,
  pushStream,
  pushNames,
  pullBatch,
  pullStream,
  pullNames,
  pullHttp,
];

async function pushBatch({ cas }: Endpoint, known: Acknowledged): Promise<void> {
  const blobs = Array.from({ length: 15 }, () => known.newBlob(4 + Math.floor(Math.random() ** 3 * 60_000)));
  const { responses } = await cas.batchUpdateBlobs({ requests: blobs.map(({ blob }) => blob) });
  assert.ok(responses.every(({ status }) => (status?.code ?? 0) === 0));
  for (const blob of blobs) known.add(blob);
}

async function pushStream(endpoint: Endpoint, known: Acknowledged): Promise<void> {
  const blob = known.newBlob(500_000 + Math.floor(Math.random() ** 3 * 5_000_000));
  await writeBlob(endpoint, "", blob.blob);
  known.add(blob);
}

async function pushNames({ push, actionCache }: Endpoint, known: Acknowledged): Promise<void> {
  const blob = known.pick(Math.random());
  if (blob === undefined) return;
  const uri = newUri();
  await push.pushBlob({ uris: [uri], blobDigest: blob.digest });
  known.assets.push({ uri, hash: blob.digest.hash });
  const action = newBlob().digest;
  const actionResult = { outputFiles: [{ path: "out", digest: blob.digest }] };
  await actionCache.updateActionResult({ actionDigest: action, actionResult });
  known.results.push({ action, hash: blob.digest.hash });
}

async function pullBatch({ cas }: Endpoint, known: Acknowledged): Promise<void> {
  const blobs = Array.from({ length: 8 }, () => known.pick(Math.random())).filter((each) => each !== undefined);
  const small = blobs.filter(({ data }) => data.length < 100_000);
  const { responses } = await cas.batchReadBlobs({ digests: small.map(({ digest }) => digest) });
  for (const { digest, data } of responses) {
    const sent = small.find((each) => each.digest.hash === digest?.hash);
    assert.deepEqual(Buffer.compare(data, sent?.data ?? Buffer.alloc(0)), 0, "a batch has other bytes");
  }
}

async function pullStream(endpoint: Endpoint, known: Acknowledged): Promise<void> {
  const blob = known.pick(Math.random());
  if (blob === undefined) return;
  const data = await readAll(endpoint, { resourceName: readName("", blob.digest) });
  assert.deepEqual(Buffer.compare(data, blob.data), 0, "a stream has other bytes");
}

async function pullNames({ fetch, actionCache }: Endpoint, known: Acknowledged): Promise<void> {
  const asset = known.assets[Math.floor(Math.random() * known.assets.length)];
  if (asset !== undefined) {
    assert.equal((await fetch.fetchBlob({ uris: [asset.uri] })).blobDigest?.hash, asset.hash);
  }
  const result = known.results[Math.floor(Math.random() * known.results.length)];
  if (result === undefined) return;
  const { outputFiles } = await actionCache.getActionResult({ actionDigest: result.action });
  assert.equal(outputFiles[0]?.digest?.hash, result.hash);
}

async function pullHttp(_: Endpoint, known: Acknowledged, address: string): Promise<void> {
  const blob = known.pick(Math.random());
  if (blob === undefined) return;
  const { body } = await http(`http://${address}`, { path: `/cas/${blob.digest.hash}` }, "HTTP/1.1");
  assert.deepEqual(Buffer.compare(body, blob.data), 0, "HTTP has other bytes");
  const absent = { path: `/cas/${randomBytes(32).toString("hex")}` };
  assert.equal((await http(`http://${address}`, absent, "HTTP/1.1")).status, 404);
}
