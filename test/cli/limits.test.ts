import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { ContentAddressableStorage } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ByteStream } from "../../src/gen/google/bytestream/bytestream_pb.ts";
import { RequestInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { type Channel, connect } from "../../src/rpc/client/channel.ts";
import type { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { client } from "../../src/rpc/client/typed.ts";
import { encodeDetails } from "../../src/rpc/status-details.ts";
import { createToken, writeAccess } from "./support/access.ts";
import { newFolder } from "./support/folder.ts";
import { serve } from "./support/programs.ts";

const listen = ["--listen", "127.0.0.1:0"];

/** Begins an upload that goes on until it is cancelled, and waits until the server has begun with it, or refuses it. */
async function beginUpload(channel: Channel) {
  const hash = randomBytes(32).toString("hex");
  const resourceName = `uploads/${hash}/blobs/${hash}/3000000`;
  const stream = client(channel, ByteStream);
  const call = stream.write();
  await call.send({ resourceName, data: Buffer.alloc(1000) });
  let refused: unknown;
  call.receive().catch((error: unknown) => {
    refused = error;
  });
  for (;;) {
    if (refused !== undefined) throw refused;
    const begun = await stream.queryWriteStatus({ resourceName }).catch(() => undefined);
    if (begun !== undefined) return call;
  }
}

const ask = (channel: Channel) => client(channel, ContentAddressableStorage).findMissingBlobs({});

const health = (channel: Channel) => client(channel, Health).check({});

/** Fails unless the call is refused as one that may be tried again in a second. */
async function assertRefused(call: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(call, (error: RpcError) => {
    assert.deepEqual([error.status, message.test(error.message)], ["UNAVAILABLE", true], error.message);
    const details = fromBinary(StatusSchema, Uint8Array.from(error.details ?? []));
    const about = details.details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.RequestInfo"));
    const { requestId } = fromBinary(RequestInfoSchema, about?.value ?? new Uint8Array());
    assert.match(requestId, /^[0-9a-f]{10}-[0-9a-z]+$/);
    assert.deepEqual(
      Buffer.from(error.details ?? []),
      encodeDetails(error.code, error.message, { retryAfterMs: 1000, violations: [] }, requestId),
    );
    return true;
  });
}

/** Tries until it is not refused any more. */
async function eventually(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      assert.equal((error as RpcError).status, "UNAVAILABLE");
    }
  }
}

test("more connections than are allowed are told to try again, and are let in when others have gone", async () => {
  await using folder = await newFolder();
  await using server = await serve("stillage", ["serve", "store", ...listen, "--max-connections", "2"], {
    cwd: folder.path,
  });
  const url = `grpc://${server.listeners[0]?.address}`;
  const [one, two, three] = [connect(url), connect(url), connect(url)];
  await health(one);
  await health(two);
  await assertRefused(health(three), /^2 connections are as many/);
  const page = await fetch(`${url.replace("grpc", "http")}/cas/${"0".repeat(64)}`);
  assert.deepEqual([page.status, page.headers.get("retry-after")], [503, "1"]);
  assert.equal((await fetch(`${url.replace("grpc", "http")}/healthz`)).status, 200);
  await one.close();
  await eventually(() => health(three));
  await Promise.all([two.close(), three.close()]);
});

test("calls and uploads of one identity, and of all", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const access = [
    "--access",
    await writeAccess(cwd, [
      { who: { token: "*" }, may: "push" },
      { who: { token: "c" }, may: "admin" },
    ]),
  ];
  const tokens = [await createToken(cwd, "a"), await createToken(cwd, "b"), await createToken(cwd, "c")];
  const limits = ["--max-client-calls", "3", "--max-calls", "8", "--max-client-uploads", "2", "--max-uploads", "3"];
  await using server = await serve("stillage", ["serve", "store", ...listen, ...access, ...limits], { cwd });
  const address = server.listeners[0]?.address ?? "";
  const [a, b, c] = tokens.map((token) =>
    connect(`grpc://${address}`, { headers: { authorization: `Bearer ${token}` } }),
  );
  assert.ok(a && b && c);

  const first = await beginUpload(a);
  await beginUpload(a);
  const third = client(a, ByteStream).write();
  await third.send({ resourceName: `uploads/x/blobs/${"0".repeat(64)}/10` });
  await assertRefused(third.receive(), /^2 uploads of one client are as many/);
  const put = await fetch(`http://${address}/cas/${"0".repeat(64)}`, {
    method: "PUT",
    body: "x",
    headers: { authorization: `Bearer ${tokens[0]}` },
  });
  assert.deepEqual([put.status, put.headers.get("retry-after")], [503, "1"]);

  await beginUpload(b);
  const other = client(c, ByteStream).write();
  await other.send({ resourceName: `uploads/x/blobs/${"0".repeat(64)}/10` });
  await assertRefused(other.receive(), /^3 uploads are as many/);

  const watch = client(a, Health).watch();
  await watch.send({});
  await watch.receive();
  await assertRefused(ask(a), /^3 calls of one client are as many/);
  await ask(b);
  first.cancel();
  await eventually(() => ask(a));
  await eventually(() => beginUpload(c));
  for (const channel of [a, b, c]) channel.destroy();
  const metrics = await (
    await fetch(`http://${address}/metrics`, { headers: { authorization: `Bearer ${tokens[2]}` } })
  ).text();
  for (const [limit, least] of [
    ["calls", 1],
    ["uploads", 3],
  ] as const) {
    const refused = new RegExp(`^stillage_server_refused_total\\{limit="${limit}"\\} (\\d+)$`, "m").exec(metrics)?.[1];
    assert.ok(Number(refused) >= least, `${limit}: ${refused}`);
  }
});

test("a request whose client leaves before the answer has begun gives its place back", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const file = join(cwd, "access.log");
  const limits = ["--max-calls", "4", "--access-log", file];
  await using server = await serve("stillage", ["serve", "store", ...listen, ...limits], { cwd });
  const address = server.listeners[0]?.address ?? "";
  const data = randomBytes(3_000_000);
  const path = `/cas/${createHash("sha256").update(data).digest("hex")}`;
  assert.equal((await fetch(`http://${address}${path}`, { method: "PUT", body: data })).status, 200);
  const [host, port] = address.split(":");
  for (let i = 0; i < 40; i++) {
    const socket = connectTcp(Number(port), host);
    await once(socket, "connect");
    const gone = once(socket, "close");
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`, () => socket.resetAndDestroy());
    await gone;
  }
  const calls = async (): Promise<number> => {
    const metrics = await (await fetch(`http://${address}/metrics`)).text();
    return Number(/^stillage_server_calls (\d+)$/m.exec(metrics)?.[1]);
  };
  for (let asked = 0; (await calls()) > 0; asked++) assert.ok(asked < 3000, "places are not given back");
  assert.equal((await fetch(`http://${address}${path}`)).status, 200);
});

test("how a server is can be asked however full it is", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using server = await serve("stillage", ["serve", "store", ...listen, "--max-calls", "1"], { cwd });
  const address = server.listeners[0]?.address ?? "";
  const channel = connect(`grpc://${address}`);
  const watch = client(channel, Health).watch();
  await watch.send({});
  await watch.receive();
  await assertRefused(client(channel, ByteStream).queryWriteStatus({}), /^1 calls are as many/);
  await health(channel);
  for (const path of ["healthz", "readyz", "metrics", "status"]) {
    assert.equal((await fetch(`http://${address}/${path}`)).status, 200, path);
  }
  channel.destroy();
});
