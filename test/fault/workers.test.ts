import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { silentLog } from "../../src/base/log.ts";
import { defaultConfig } from "../../src/config/load.ts";
import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { StoreSide } from "../../src/server/store-side.ts";
import { WorkerPool } from "../../src/server/workers/worker-pool.ts";
import type { StoreUsage } from "../../src/store/blob-store.ts";
import { newUri } from "../conformance/support/assets.ts";
import { newBlob, type TestBlob } from "../conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../conformance/support/byte-stream.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const lanes = 6;
const roundsOfLane = 8;
const deathsInAll = 4;

interface Acknowledged {
  readonly blobs: TestBlob[];
  readonly assets: { readonly uri: string; readonly blob: TestBlob }[];
}

/** A client that tries again over a new connection where one broke, as all do, until what it does is done. */
async function insist(address: string, work: (endpoint: Endpoint) => Promise<void>): Promise<number> {
  for (let failures = 0; ; failures++) {
    const endpoint = openEndpoint(`grpc://${address}`);
    try {
      await work(endpoint);
      return failures;
    } catch (error) {
      assert.ok(error instanceof RpcError, String(error));
      assert.ok(
        ["UNAVAILABLE", "CANCELLED", "ABORTED", "UNKNOWN"].includes(error.status),
        `${error.status} ${error.message}`,
      );
      assert.ok(failures < 100, `still fails: ${error.message}`);
      await delay(20);
    } finally {
      endpoint.channel.destroy();
    }
  }
}

/** Pushes and pulls one of everything. What is acknowledged is entered. */
async function round(address: string, lane: number, acknowledged: Acknowledged): Promise<number> {
  const batch = Array.from({ length: 20 }, (_, i) => newBlob(1 + ((lane * 997 + i * 4001) % 60_000)));
  const large = newBlob(1_200_000 + lane * 700_000);
  const uri = newUri();
  let failures = 0;
  const step = async (work: (endpoint: Endpoint) => Promise<void>): Promise<void> => {
    failures += await insist(address, work);
  };
  await step(async ({ cas }) => {
    const { responses } = await cas.batchUpdateBlobs({ requests: batch });
    assert.ok(responses.every(({ status }) => (status?.code ?? 0) === 0));
  });
  acknowledged.blobs.push(...batch);
  await step(async (endpoint) => void (await writeBlob(endpoint, "", large)));
  acknowledged.blobs.push(large);
  await step(async ({ push }) => void (await push.pushBlob({ uris: [uri], blobDigest: large.digest })));
  acknowledged.assets.push({ uri, blob: large });
  await step(async (endpoint) => {
    const { blobDigest } = await endpoint.fetch.fetchBlob({ uris: [uri] });
    assert.equal(blobDigest?.hash, large.digest.hash);
    const name = { resourceName: readName("", large.digest) };
    assert.equal(Buffer.compare(await readAll(endpoint, name), large.data), 0);
    const { responses } = await endpoint.cas.batchReadBlobs({ digests: batch.map(({ digest }) => digest) });
    for (const [i, { data }] of responses.entries()) {
      assert.equal(Buffer.compare(data, (batch[i] as TestBlob).data), 0);
    }
  });
  return failures;
}

/** Calls that ended, as the metrics count them. */
async function callsOf(pool: WorkerPool): Promise<number> {
  const lines = (await pool.metrics()).split("\n").filter((line) => line.startsWith("stillage_rpc_calls_total{"));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Waits for what comes to be so; fails where it does not. */
async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    assert.ok(i < 3000, `is not so: ${isSo}`);
    await delay(10);
  }
}

/** Files below a directory that this process has open. */
function openBelow(directory: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

describe("a server whose workers die while clients push and pull through all of them", () => {
  it("loses nothing that it acknowledged, serves who tries again, and has back all that they held", async () => {
    await using directory = await temporaryDirectory();
    const store = join(directory.path, "store");
    const config = defaultConfig(directory.path);
    const listeners = [{ address: "127.0.0.1:0", push: true, tls: undefined }];
    const options: ServerOptions = { ...config, store, listeners, workers: 2, version: "0" };
    const incoming = join(store, "tenants/@/sha256/incoming");
    let before: StoreUsage;
    {
      await using side = await StoreSide.open(options, silentLog);
      const told: object[] = [];
      const log = { ...silentLog, error: (fields: object, message: string) => void told.push({ ...fields, message }) };
      const pool = await WorkerPool.open(options, side, log);
      const address = pool.listeners[0]?.address ?? "";
      const acknowledged: Acknowledged = { blobs: [], assets: [] };
      const calls: number[] = [];
      let failures = 0;
      let killed = 0;
      let going = lanes;
      const clients = Array.from({ length: lanes }, async (_, lane) => {
        for (let i = 0; i < roundsOfLane || killed < deathsInAll; i++) {
          failures += await round(address, lane, acknowledged);
        }
        going--;
      });
      const deaths = (async () => {
        while (going > 0) {
          calls.push(await callsOf(pool));
          // In the middle of something: at a moment when it has an upload or an open blob.
          const busy = pool.threads.filter(({ held }) => held > 0);
          const thread = busy[killed % busy.length];
          if (thread !== undefined && killed < deathsInAll) {
            await thread.terminate();
            killed++;
          }
          await delay(5);
        }
      })();
      await Promise.all([...clients, deaths]);
      assert.ok(failures > 0, "nobody noticed");
      await until(() => pool.threads.length === 2);
      await Promise.all(pool.threads.map(({ line }) => line.ask("opened")));
      assert.equal(pool.status().workersRestarted, deathsInAll);
      assert.match(await pool.metrics(), new RegExp(`^stillage_worker_restarts_total ${deathsInAll}$`, "m"));
      assert.deepEqual(
        calls,
        calls.toSorted((a, b) => a - b),
        "what has been counted stays",
      );
      for (const line of told) assert.match(JSON.stringify(line), /"worker":[12]\b.*a worker has ended/);

      await insist(address, async (endpoint) => {
        const blobDigests = acknowledged.blobs.map(({ digest }) => digest);
        assert.deepEqual((await endpoint.cas.findMissingBlobs({ blobDigests })).missingBlobDigests, []);
        for (const { uri, blob } of acknowledged.assets) {
          assert.equal((await endpoint.fetch.fetchBlob({ uris: [uri] })).blobDigest?.hash, blob.digest.hash);
        }
      });
      await until(() => pool.threads.every(({ held }) => held === 0));
      await pool.close(1000);
      await side.uploads.stop();
      assert.deepEqual([openBelow(incoming), readdirSync(incoming)], [[], []]);
      before = side.usage();
    }
    await using again = await StoreSide.open(options, silentLog);
    const after = again.usage();
    assert.equal(after.blobs, before.blobs);
    // What a start counts is exact; the end of an index file is written at the very end. The smallest upload here would be seen. The refs are counted now and then,
    // with a journal that is gone after a start.
    const [counted, there] = [before.bytes - before.others, after.bytes - after.others];
    assert.ok(Math.abs(there - counted) < 100_000, `${counted} were counted, ${there} are there`);
  });
});
