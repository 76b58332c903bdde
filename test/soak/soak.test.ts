import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { maxIdleUploads } from "../../src/cache/uploads.ts";
import { checkout } from "../clients/support/checkout.ts";
import { type ServerUnderTest, startServer } from "../clients/support/stillage.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { readAll, readName } from "../conformance/support/byte-stream.ts";
import { openEndpoint } from "../conformance/support/endpoint.ts";
import { httpGet } from "../conformance/support/http.ts";
import { behave } from "./clients.ts";
import { Acknowledged } from "./corpus.ts";
import { breaksOff, floods, type Nuisance, readsNothing, talksNonsense } from "./nuisances.ts";

/**
 * How long the clients go on; SOAK_SECONDS says otherwise. The server has taken all the memory that it takes, and keeps as many idle uploads as it
 * may, within half a minute; what a client does before it begins anew takes less.
 */
const seconds = Number(process.env.SOAK_SECONDS ?? 60);

const clients = 120;
const nuisances: readonly (readonly [Nuisance, number])[] = [
  [readsNothing, 20],
  [breaksOff, 25],
  [talksNonsense, 30],
  [floods, 5],
];

const maxMemoryBytes = 300 * 2 ** 20;

/** Files that a server may have open afterwards beyond those at its start: packs, the journal of large blobs, and uploads that may go on. */
const spareFiles = 20 + maxIdleUploads;

test(`200 connections of every kind for ${seconds} s cost no blob, no memory and no file`, async () => {
  process.env.STILLAGE_PROGRAM = join(checkout, "bin/stillage"); // which says how much memory may be wasted
  await using workspace = await createWorkspace();
  const store = await workspace.folder("store");
  const server = await startServer(store);
  const known = new Acknowledged();
  try {
    const files = openFiles(server);
    const stop = new AbortController();
    const running = [
      ...Array.from({ length: clients }, () => behave(server.address, known, stop.signal)),
      ...nuisances.flatMap(([nuisance, count]) =>
        Array.from({ length: count }, () => nuisance(server.address, known, stop.signal)),
      ),
    ];
    const failed = Promise.all(running);
    await Promise.race([failed, delay(seconds * 1000)]);
    stop.abort();
    await failed;

    assert.ok(known.count > seconds * 10, `only ${known.count} blobs were stored`);
    await check(server, known);
    await settled(server);
    assert.ok(openFiles(server) <= files + spareFiles, `${openFiles(server)} files are open, ${files} at the start`);
    const peak = peakMemory(server);
    assert.ok(peak < maxMemoryBytes, `the server took ${peak} bytes`);
    assert.doesNotMatch(server.log(), /"level":"(error|fatal)"/);
    assert.equal(await server.stop(), 0, server.log());
    console.error(`${known.count} blobs, ${known.assets.length} assets; peak ${Math.round(peak / 2 ** 20)} MiB`);
  } finally {
    await server.stop();
  }
  await using again = await startServer(store);
  await check(again, known);
});

/** Everything that was acknowledged is there; a part of it is read. */
async function check(server: ServerUnderTest, known: Acknowledged): Promise<void> {
  const endpoint = openEndpoint(`grpc://${server.address}`);
  try {
    const digests = known.all();
    for (let at = 0; at < digests.length; at += 5000) {
      const blobDigests = digests.slice(at, at + 5000);
      assert.deepEqual((await endpoint.cas.findMissingBlobs({ blobDigests })).missingBlobDigests, []);
    }
    for (let i = 0; i < 500; i++) {
      const blob = known.pick(i / 500);
      if (blob === undefined) continue;
      const data = await readAll(endpoint, { resourceName: readName("", blob.digest) });
      assert.deepEqual(Buffer.compare(data, blob.data), 0);
    }
    for (const { uri, hash } of known.assets) {
      assert.equal((await endpoint.fetch.fetchBlob({ uris: [uri] })).blobDigest?.hash, hash);
    }
  } finally {
    await endpoint.channel.close();
  }
}

/** Waits until the server has let go of every connection. */
async function settled(server: ServerUnderTest): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { body } = await httpGet(`http://${server.address}`, "/metrics", "HTTP/1.1");
    const open = Number(/^stillage_rpc_connections (\d+)$/m.exec(body)?.[1]);
    if (open === 0) return;
    assert.ok(tries < 300, `${open} connections are still open`);
    await delay(100);
  }
}

function openFiles({ pid }: ServerUnderTest): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function peakMemory({ pid }: ServerUnderTest): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}
