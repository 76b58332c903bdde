import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { FindMissingBlobsRequestSchema } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { blobOf, type DigestInit, missing, newBlob, type TestBlob } from "../conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../conformance/support/byte-stream.ts";
import { cutBlob } from "../conformance/support/chunks.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { startCasd } from "./support/casd.ts";
import { type ServerUnderTest, startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

// casd cuts blobs itself, by a FastCDC that others wrote, where it moves them between its own cache and the server's.

/** Its instances: the cache alone, and the cache with the server behind it, in chunks. */
const [own, proxy] = ["own", "proxy"];

const average = 512 << 10;
const blobBytes = 8 << 20;

interface Site extends AsyncDisposable {
  readonly server: ServerUnderTest;
  readonly direct: Endpoint;
  /** A new casd with an empty cache. */
  casd(): Promise<Endpoint>;
}

async function openSite(): Promise<Site> {
  await using opened = new AsyncDisposableStack();
  const workspace: Workspace = opened.use(await createWorkspace());
  const server = opened.use(await startServer(await workspace.folder("store")));
  const connect = (url: string): Endpoint => {
    const endpoint = openEndpoint(url);
    opened.defer(() => endpoint.channel.destroy());
    return endpoint;
  };
  const direct = connect(`grpc://${server.address}`);
  const parts = opened.move();
  return {
    server,
    direct,
    casd: async () => {
      const options = [
        `--cas-remote=http://${server.address}`,
        "--cas-retry-limit=1",
        `--local-server-instance=${own}`,
      ];
      const chunked = [`--proxy-instance=${proxy}:`, `--enable-chunking-for-instance=${proxy}`];
      const { socket } = parts.use(await startCasd(await workspace.folder("casd"), [...options, ...chunked]));
      const endpoint = openEndpoint(`unix:${socket}`);
      parts.defer(() => endpoint.channel.destroy());
      return endpoint;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** A call of casd's own service whose request has an instance (1) and digests (2), as FindMissingBlobsRequest has. */
async function move(casd: Endpoint, method: string, ...blobDigests: DigestInit[]): Promise<void> {
  const request = create(FindMissingBlobsRequestSchema, { instanceName: proxy, blobDigests });
  const bytes = toBinary(FindMissingBlobsRequestSchema, request);
  await casd.channel.unary(`build.buildgrid.LocalContentAddressableStorage/${method}`, bytes);
}

/** Calls that ended well, and bytes of messages, by method. */
async function counted({ address }: ServerUnderTest, what: "calls" | "request_bytes" | "response_bytes") {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^stillage_rpc_${what}_total\\{method="[^"]*/(\\w+)"[^}]*\\} (\\d+)`, "gm"));
  const counts = new Map([...lines].map(([, method = "", count]) => [method, Number(count)]));
  return (method: string): number => counts.get(method) ?? 0;
}

/** The same blob with some bytes in its middle: all chunks but one or two are the same. */
function changed({ data }: TestBlob): TestBlob {
  const middle = data.length / 2;
  return blobOf(Buffer.concat([data.subarray(0, middle), randomBytes(10), data.subarray(middle)]));
}

describe("buildbox-casd with chunks", () => {
  test("uploads the chunks that are missing, and has them put together", async () => {
    await using site = await openSite();
    const { server, direct } = site;
    const casd = await site.casd();
    const first = newBlob(blobBytes);
    const second = changed(first);
    let sent = 0;
    for (const [round, blob] of [first, second].entries()) {
      await writeBlob(casd, own, blob);
      await move(casd, "UploadMissingBlobs", blob.digest);
      const digests = cutBlob(blob, average).map(({ digest }) => digest);
      assert.deepEqual(
        await missing(direct, "", [blob.digest, ...digests]),
        [],
        "the blob, and its chunks as we cut it",
      );
      assert.deepEqual(await readAll(direct, { resourceName: readName("", blob.digest) }), blob.data);
      assert.equal((await counted(server, "calls"))("SpliceBlob"), round + 1);
      const bytes = await counted(server, "request_bytes");
      const total = bytes("BatchUpdateBlobs") + bytes("Write");
      if (round === 0) assert.ok(total > blobBytes);
      else assert.ok(total - sent < blobBytes / 2, `${total - sent} bytes for a change of ten`);
      sent = total;
    }
  });

  test("downloads the chunks that it has not, of blobs that were uploaded whole", async () => {
    await using site = await openSite();
    const { server, direct } = site;
    const casd = await site.casd();
    const first = newBlob(blobBytes);
    const second = changed(first);
    let received = 0;
    for (const [round, blob] of [first, second].entries()) {
      await writeBlob(direct, "", blob);
      await move(casd, "FetchMissingBlobs", blob.digest);
      assert.deepEqual(await readAll(casd, { resourceName: readName(own, blob.digest) }), blob.data);
      assert.equal((await counted(server, "calls"))("SplitBlob"), round + 1);
      const bytes = await counted(server, "response_bytes");
      const total = bytes("BatchReadBlobs") + bytes("Read");
      if (round === 0) assert.ok(total > blobBytes);
      else assert.ok(total - received < blobBytes / 2, `${total - received} bytes for a change of ten`);
      received = total;
    }
  });
});
