import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  FindMissingBlobsRequestSchema,
  GetActionResultRequestSchema,
  RequestMetadataSchema,
} from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { newFolder } from "./support/folder.ts";
import { serve } from "./support/programs.ts";

const made = /^[0-9a-f]{10}-[0-9a-z]+$/;
const plain = (bytes: Buffer): Buffer => bytes;

/** Calls with gRPC's own client; gives the error, with the trailers, where there is one. */
function call(address: string, method: string, request: Uint8Array, headers: Record<string, string | Buffer>) {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const channel = new Client(address, credentials.createInsecure());
  return new Promise<ServiceError | undefined>((resolve) => {
    const done = (error: ServiceError | null): void => {
      channel.close();
      resolve(error ?? undefined);
    };
    channel.makeUnaryRequest(`/${method}`, plain, plain, Buffer.from(request), metadata, done);
  });
}

test("what a client is told of an error leads to the line of the access log", async () => {
  await using folder = await newFolder();
  const args = ["serve", "store", "--listen", "127.0.0.1:0", "--access-log", "access.log"];
  await using server = await serve("stillage", args, { cwd: folder.path });
  const { address = "" } = server.listeners[0] ?? {};
  const reapi = "build.bazel.remote.execution.v2";
  const actionDigest = { hash: "0".repeat(64), sizeBytes: 1n };
  const get = toBinary(GetActionResultRequestSchema, create(GetActionResultRequestSchema, { actionDigest }));
  const find = toBinary(FindMissingBlobsRequestSchema, create(FindMissingBlobsRequestSchema, {}));
  const metadata = create(RequestMetadataSchema, {
    toolDetails: { toolName: "bazel", toolVersion: "8.4.2" },
    toolInvocationId: "invocation",
    correlatedInvocationsId: "correlated",
    actionId: "action",
  });
  const about = { [`${reapi}.requestmetadata-bin`]: Buffer.from(toBinary(RequestMetadataSchema, metadata)) };
  const getResult = `${reapi}.ActionCache/GetActionResult`;
  const idOf = (error: ServiceError | undefined): unknown => error?.metadata.get("x-request-id")[0];

  const named = idOf(await call(address, getResult, get, { "x-request-id": "mine-1", ...about }));
  assert.equal(named, "mine-1");
  const unnamed = idOf(await call(address, getResult, get, { "x-request-id": "<b>" }));
  assert.match(String(unnamed), made);
  assert.equal(await call(address, `${reapi}.ContentAddressableStorage/FindMissingBlobs`, find, {}), undefined);
  assert.match(String(idOf(await call(address, "no.such/Method", find, {}))), made);

  const page = await fetch(`http://${address}/api/v1/nothing`);
  const { request } = (await page.json()) as { request: string };
  assert.match(request, made);
  assert.equal(page.headers.get("x-request-id"), request);
  const blob = await fetch(`http://${address}/cas/${"0".repeat(64)}`, { headers: { "x-request-id": "mine-2" } });
  assert.deepEqual([blob.status, blob.headers.get("x-request-id")], [404, "mine-2"]);
  server.signal("SIGTERM");
  assert.equal((await server.ended()).status, 0);

  const lines = (await readFile(join(folder.path, "access.log"), "utf8")).trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    records
      .map(({ id, call, status }) => [id, call, status])
      .filter(([, call]) => call !== `${reapi}.ContentAddressableStorage/FindMissingBlobs`),
    [
      ["mine-1", getResult, "NOT_FOUND"],
      [unnamed, getResult, "NOT_FOUND"],
      [request, "HTTP GET", "404"],
      ["mine-2", "HTTP GET", "404"],
    ],
  );
  const { tool, invocation, correlated, action } = records[0] ?? {};
  assert.deepEqual([tool, invocation, correlated, action], ["bazel 8.4.2", "invocation", "correlated", "action"]);
  assert.equal(records[1]?.tool, undefined);
  assert.equal(new Set(records.map(({ id }) => id)).size, records.length);
});
