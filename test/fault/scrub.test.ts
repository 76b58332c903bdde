import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../cli/support/programs.ts";
import { startServer } from "../clients/support/stillage.ts";
import { newUri } from "../conformance/support/assets.ts";
import { isThere, newBlob, type TestBlob, upload } from "../conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../conformance/support/byte-stream.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { filesIn } from "./damaged-store.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const quick = ["--scrub-every", "1s", "--scrub-rate", "1GB"];

/** Turns a bit of a file in place, as a disk does. */
function rot(path: string, at: number): void {
  const fd = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Buffer.from([(byte[0] as number) ^ 1]), 0, 1, at);
  closeSync(fd);
}

/** Waits until a condition holds; the test's own limit ends a wait for nothing. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(50);
}

async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

describe("rot in the store of a running server", () => {
  it("is found, is missing from then on, and is healed by a client that pushes again", async () => {
    await using directory = await temporaryDirectory();
    await using server = await startServer(directory.path, quick);
    const endpoint = openEndpoint(`grpc://${server.address}`);
    try {
      const small = Array.from({ length: 20 }, () => newBlob(3000));
      const [victim, large, uri] = [small[7] as TestBlob, newBlob(2_500_000), newUri()];
      await upload(endpoint, "", small);
      await writeBlob(endpoint, "", large);
      await endpoint.push.pushBlob({ uris: [uri], blobDigest: large.digest, referencesBlobs: [victim.digest] });
      assert.equal((await endpoint.fetch.fetchBlob({ uris: [uri] })).blobDigest?.hash, large.digest.hash);

      const shelf = join(directory.path, "tenants/@/sha256");
      const pack = join(shelf, "packs/00000001.pack");
      rot(pack, readFileSync(pack).indexOf(victim.data) + 1234);
      await until(async () => !(await isThere(endpoint, "", victim.digest)));
      assert.equal(await metric(server.address, "stillage_scrub_rotten_total"), 1);
      await assert.rejects(endpoint.fetch.fetchBlob({ uris: [uri] }), "an asset was served that is not whole");

      const file = filesIn(shelf).find((name) => name.startsWith("files/")) ?? "";
      rot(join(shelf, file), 2_000_000);
      await until(async () => !(await isThere(endpoint, "", large.digest)));
      assert.equal(filesIn(join(directory.path, "quarantine")).length, 4);
      assert.match(server.log(), new RegExp(`"blob":"${victim.digest.hash}/3000"`));

      await heal(endpoint, [victim, large]);
      assert.equal((await endpoint.fetch.fetchBlob({ uris: [uri] })).blobDigest?.hash, large.digest.hash);
      const rounds = await metric(server.address, "stillage_scrub_last_end_timestamp_seconds");
      await until(async () => (await metric(server.address, "stillage_scrub_last_end_timestamp_seconds")) > rounds + 1);
      assert.equal(await metric(server.address, "stillage_scrub_rotten_total"), 2);
    } finally {
      endpoint.channel.destroy();
    }
    assert.equal(await server.stop(), 0);
    const checked = await run("stillage", ["store", "fsck", "--store", directory.path], { cwd: directory.path });
    assert.deepEqual([checked.status, checked.stderr], [0, ""], checked.stdout);
  });
});

async function heal(endpoint: Endpoint, blobs: readonly TestBlob[]): Promise<void> {
  for (const blob of blobs) {
    await writeBlob(endpoint, "", blob);
    assert.deepEqual(Buffer.from(await readAll(endpoint, { resourceName: readName("", blob.digest) })), blob.data);
  }
}
