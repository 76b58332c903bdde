import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setImmediate as breath } from "node:timers/promises";
import { startWebServer, type WebServer } from "../../src/origin/web-server.fixture.ts";
import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { startServer } from "../clients/support/stillage.ts";
import { readAll, readName } from "../conformance/support/byte-stream.ts";
import { openEndpoint } from "../conformance/support/endpoint.ts";
import { randomBlob, temporaryDirectory } from "./store-blobs.ts";

let web: WebServer;
before(async () => {
  web = await startWebServer();
});
after(() => web[Symbol.asyncDispose]());

const options = (...more: string[]) => ["--origin-fetch", "any", "--origin-allow", `127.0.0.1:${web.port}`, ...more];
const checksum = (bytes: Buffer) => [
  { name: "checksum.sri", value: `sha256-${createHash("sha256").update(bytes).digest("base64")}` },
];

/** What lies in a store's folder of blobs that are on their way. */
function incoming(store: string): string[] {
  try {
    return readdirSync(join(store, "tenants/@/sha256/incoming"));
  } catch {
    return [];
  }
}

describe("a server whose process is killed while it downloads", () => {
  for (const [how, known] of [
    ["what it knows the digest of", true],
    ["what it does not", false],
  ] as const) {
    it(`${how}, has nothing of it, and gets it the next time`, async () => {
      await using directory = await temporaryDirectory();
      const { bytes, digest } = randomBlob(9_000_000);
      let whole = false;
      web.on("/large", (_, response) => {
        response.writeHead(200, { "content-length": bytes.length });
        if (whole) response.end(bytes);
        else response.write(bytes.subarray(0, 6_000_000));
      });
      const request = { uris: [`${web.url}/large`], qualifiers: known ? checksum(bytes) : [] };
      const server = await startServer(directory.path, options());
      const endpoint = openEndpoint(`grpc://${server.address}`);
      const fetching = assert.rejects(endpoint.fetch.fetchBlob(request), RpcError);
      while (incoming(directory.path).length === 0) await breath();
      process.kill(server.pid, "SIGKILL");
      await fetching;
      await server.stop();
      endpoint.channel.destroy();
      assert.equal(incoming(directory.path).length, 1, "the process left a file");

      whole = true;
      await using again = await startServer(directory.path, options());
      assert.deepEqual(incoming(directory.path), [], "which the next one has removed");
      const reader = openEndpoint(`grpc://${again.address}`);
      try {
        const { blobDigest } = await reader.fetch.fetchBlob(request);
        assert.equal(blobDigest?.hash, digest.hash);
        const resourceName = readName("", { hash: digest.hash, sizeBytes: BigInt(digest.size) });
        assert.deepEqual(Buffer.compare(await readAll(reader, { resourceName }), bytes), 0);
        assert.deepEqual(incoming(directory.path), []);
      } finally {
        reader.channel.destroy();
      }
    });
  }
});

describe("a server that has no room for a download", () => {
  it("says so, keeps nothing of it, and takes what fits", async () => {
    await using directory = await temporaryDirectory();
    const { bytes } = randomBlob(5_000_000);
    web.on("/said", bytes);
    web.on("/unsaid", (_, response) => void response.writeHead(200).end(bytes));
    web.on("/fits", bytes.subarray(0, 2_000_000));
    await using server = await startServer(directory.path, options("--quota", "3MB"));
    const endpoint = openEndpoint(`grpc://${server.address}`);
    const used = async () => {
      const { store } = (await (await fetch(`http://${server.address}/status`)).json()) as { store: { bytes: number } };
      return store.bytes;
    };
    try {
      const before = await used();
      for (const path of ["/said", "/unsaid"]) {
        for (const qualifiers of [[], checksum(bytes)]) {
          const request = { uris: [`${web.url}${path}`], qualifiers };
          await assert.rejects(endpoint.fetch.fetchBlob(request), { status: "RESOURCE_EXHAUSTED" });
        }
      }
      assert.equal(await used(), before);
      assert.deepEqual(incoming(directory.path), []);
      await endpoint.fetch.fetchBlob({ uris: [`${web.url}/fits`] });
    } finally {
      endpoint.channel.destroy();
    }
  });
});
