import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Fetch } from "../../src/gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import {
  ActionCache,
  ContentAddressableStorage,
} from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { connect } from "../../src/rpc/client/channel.ts";
import { client } from "../../src/rpc/client/typed.ts";
import { newFolder } from "./support/folder.ts";
import { checkout, serve } from "./support/programs.ts";

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number };
}

const serverKind = 1;
const errorCode = 2;

/** A client's span: its trace, and its name in it. */
const parent = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const traceparent = `00-${parent.traceId}-${parent.spanId}-01`;

test("with an SDK loaded, calls and what takes time in them are spans, below those of their clients", async (t) => {
  await using folder = await newFolder();
  const file = join(folder.path, "spans");
  const web = createServer((_, response) => response.end("hello\n")).listen(0, "127.0.0.1");
  t.after(() => web.close());
  await once(web, "listening");
  const origin = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const env = { NODE_OPTIONS: `--import ${join(checkout, "test/cli/support/span-file.ts")}`, SPAN_FILE: file };
  const origins = ["--origin-fetch", "any", "--origin-allow", "127.0.0.1"];
  await using server = await serve("stillage", ["serve", "store", "--listen", "127.0.0.1:0", ...origins], {
    cwd: folder.path,
    env,
  });
  const { address = "" } = server.listeners[0] ?? {};
  const channel = connect(`http://${address}`, { headers: { traceparent } });
  const data = Buffer.from("some bytes");
  const digest = { hash: createHash("sha256").update(data).digest("hex"), sizeBytes: BigInt(data.length) };
  const actions = client(channel, ActionCache);
  await client(channel, ContentAddressableStorage).batchUpdateBlobs({ requests: [{ digest, data }] });
  await actions.updateActionResult({ actionDigest: digest, actionResult: { stdoutDigest: digest } });
  await actions.getActionResult({ actionDigest: digest });
  await assert.rejects(actions.getActionResult({ actionDigest: { ...digest, sizeBytes: -1n } }));
  await client(channel, Fetch).fetchBlob({ uris: [`${origin}/file`] });
  await channel.close();
  const headers = { traceparent, "x-request-id": "abc" };
  assert.equal((await fetch(`http://${address}/cas/${digest.hash}`, { headers })).status, 200);
  assert.equal((await fetch(`http://${address}/nothing`)).status, 404);
  server.signal("SIGTERM");
  assert.equal((await server.ended()).status, 0);

  const spans = (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line): Span => JSON.parse(line));
  const named = (name: string): Span[] => spans.filter((span) => span.name === name);
  const below = (span: Span | undefined): string[] =>
    spans.filter(({ parent }) => parent === span?.spanId).map(({ name }) => name);
  const reapi = "build.bazel.remote.execution.v2";
  const [update] = named(`${reapi}.ContentAddressableStorage/BatchUpdateBlobs`);
  assert.deepEqual([update?.traceId, update?.parent, update?.kind], [parent.traceId, parent.spanId, serverKind]);
  assert.deepEqual(
    [update?.attributes["rpc.system.name"], update?.attributes["rpc.method"]],
    ["grpc", `${reapi}.ContentAddressableStorage/BatchUpdateBlobs`],
  );
  assert.deepEqual([update?.attributes["rpc.response.status_code"], update?.status.code], ["OK", 0]);
  assert.deepEqual(below(update), ["put blobs"]);
  assert.deepEqual(below(named(`${reapi}.ActionCache/UpdateActionResult`)[0]).toSorted(), ["commit refs"]);
  const [found, refused] = named(`${reapi}.ActionCache/GetActionResult`);
  assert.deepEqual(below(found), ["walk closure"]);
  // What is wrong with the request is the client's error, not the server's.
  assert.deepEqual(
    [refused?.attributes["rpc.response.status_code"], refused?.status.code, refused?.attributes["error.type"]],
    ["INVALID_ARGUMENT", 0, undefined],
  );
  const [download] = named("download");
  assert.equal(download?.attributes["server.address"], "127.0.0.1");
  assert.equal(download?.traceId, parent.traceId);
  const [get] = named("GET cas");
  assert.deepEqual([get?.traceId, get?.parent, get?.kind], [parent.traceId, parent.spanId, serverKind]);
  assert.deepEqual(
    [get?.attributes["http.response.status_code"], get?.attributes["http.route"], get?.attributes["url.path"]],
    [200, "cas", `/cas/${digest.hash}`],
  );
  assert.equal(get?.attributes["stillage.request.id"], "abc");
  const nothing = spans.find(({ attributes }) => attributes["url.path"] === "/nothing");
  assert.equal(nothing?.parent, undefined);
  assert.notEqual(nothing?.status.code, errorCode);
});
