import assert from "node:assert/strict";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { grpcStatus } from "../status.ts";
import { type Channel, connect } from "./channel.ts";
import { RpcError } from "./rpc-error.ts";

const same = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  ...codec,
});

let server: grpc.Server;
let url: string;
let channel: Channel;

before(async () => {
  server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  server.addService(
    {
      same: method("Same", false, false),
      fail: method("Fail", false, false),
      hang: method("Hang", false, false),
      header: method("Header", false, false),
      count: method("Count", false, true),
      sum: method("Sum", true, false),
      early: method("Early", true, false),
      mirror: method("Mirror", true, true),
    },
    {
      same: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => done(null, call.request),
      fail: (_call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
        const metadata = new grpc.Metadata();
        metadata.set("grpc-status-details-bin", Buffer.from([1, 2, 3]));
        done({ code: grpc.status.NOT_FOUND, details: "nothing here: ∅ 100%", metadata });
      },
      hang: () => {},
      header: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) =>
        done(null, Buffer.from(call.metadata.get("x-test").join())),
      count: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        for (let i = 0; i < 100; i++) call.write(Buffer.from([i]));
        call.end();
      },
      sum: (call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
        let bytes = 0;
        call.on("data", (message: Buffer) => {
          bytes += message.length;
        });
        call.on("end", () => done(null, Buffer.from(String(bytes))));
      },
      early: (_call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) =>
        done(null, Buffer.from("early")),
      mirror: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        call.on("data", (message: Buffer) => call.write(message));
        call.on("end", () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  url = `grpc://127.0.0.1:${port}`;
  channel = connect(url);
});

after(async () => {
  channel.destroy();
  server.forceShutdown();
});

const fails = (call: Promise<unknown>, code: number) =>
  assert.rejects(call, (error) => error instanceof RpcError && error.code === code);

test("a unary call gives the answer back, small, empty and large", async () => {
  for (const length of [0, 1, 5, 70_000, 3 << 20]) {
    const bytes = new Uint8Array(length).fill(7);
    assert.deepEqual(await channel.unary("test.Echo/Same", bytes), bytes);
  }
});

test("a failed call has the code, the decoded message and the details", async () => {
  await assert.rejects(channel.unary("test.Echo/Fail", new Uint8Array()), (error) => {
    assert(error instanceof RpcError);
    assert.equal(error.code, grpcStatus.notFound);
    assert.equal(error.message, "nothing here: ∅ 100%");
    assert.deepEqual([...(error.details ?? [])], [1, 2, 3]);
    return true;
  });
});

test("headers arrive", async () => {
  const answer = await channel.unary("test.Echo/Header", new Uint8Array(), { headers: { "x-test": "yes" } });
  assert.equal(Buffer.from(answer).toString(), "yes");
});

test("an unknown method is UNIMPLEMENTED", async () => {
  await fails(channel.unary("test.Echo/Nothing", new Uint8Array()), grpcStatus.unimplemented);
});

test("a deadline ends a call that hangs, and a signal cancels one", async () => {
  await fails(channel.unary("test.Echo/Hang", new Uint8Array(), { timeoutMs: 20 }), grpcStatus.deadlineExceeded);
  const controller = new AbortController();
  const call = channel.unary("test.Echo/Hang", new Uint8Array(), { signal: controller.signal });
  controller.abort();
  await fails(call, grpcStatus.cancelled);
});

test("messages of a stream come in order, though more than may be queued", async () => {
  const call = channel.open("test.Echo/Count");
  await call.send(new Uint8Array());
  call.halfClose();
  for (let i = 0; i < 100; i++) assert.deepEqual([...((await call.receive()) ?? [])], [i]);
  assert.equal(await call.receive(), undefined);
});

test("a client stream sends more than the windows hold", async () => {
  const call = channel.open("test.Echo/Sum");
  for (let i = 0; i < 64; i++) assert.equal(await call.send(new Uint8Array(1 << 20)), true);
  call.halfClose();
  assert.equal(Buffer.from((await call.receive()) ?? []).toString(), String(64 << 20));
});

test("an early answer ends the sending and is received", async () => {
  const call = channel.open("test.Echo/Early");
  let sent = 0;
  while (await call.send(new Uint8Array(1 << 20))) sent++;
  assert.equal(Buffer.from((await call.receive()) ?? []).toString(), "early");
  assert.equal(await call.receive(), undefined);
  assert(sent < 64);
});

test("a bidirectional stream", async () => {
  const call = channel.open("test.Echo/Mirror");
  for (const length of [1, 0, 100_000]) {
    await call.send(new Uint8Array(length));
    assert.equal((await call.receive())?.length, length);
  }
  call.halfClose();
  assert.equal(await call.receive(), undefined);
});

test("a message over the limit is RESOURCE_EXHAUSTED", async () => {
  const small = connect(url, { maxMessageBytes: 1000 });
  await fails(small.unary("test.Echo/Same", new Uint8Array(1001)), grpcStatus.resourceExhausted);
  await small.close();
});

test("no server is UNAVAILABLE, a cut connection too, and the next call connects anew", async () => {
  await fails(connect("grpc://127.0.0.1:1").unary("test.Echo/Same", new Uint8Array()), grpcStatus.unavailable);
  const cut = connect(url);
  await cut.unary("test.Echo/Same", new Uint8Array());
  const call = cut.unary("test.Echo/Hang", new Uint8Array());
  cut.destroy();
  await fails(call, grpcStatus.unavailable);
  assert.equal((await cut.unary("test.Echo/Same", new Uint8Array([1]))).length, 1);
  await cut.close();
});

test("an answer that is not gRPC's is known by its HTTP status, whatever stands in it", async (t) => {
  const web = createServer();
  web.on("stream", (stream: ServerHttp2Stream, headers) => {
    const status = Number(String(headers[":path"]).split("/").at(-1));
    stream.on("error", () => {}); // the caller does not want the rest
    stream.respond({ ":status": status, "content-type": "text/html" });
    stream.end(`<html>${"page ".repeat(100_000)}</html>`);
  });
  await new Promise<void>((resolve) => {
    web.listen(0, "127.0.0.1", resolve);
  });
  const pages = connect(`http://127.0.0.1:${(web.address() as AddressInfo).port}`);
  t.after(() => {
    pages.destroy();
    web.close();
  });
  const expected = { 200: "UNKNOWN", 401: "UNAUTHENTICATED", 404: "UNIMPLEMENTED", 413: "UNKNOWN", 502: "UNAVAILABLE" };
  for (const [http, status] of Object.entries(expected)) {
    await assert.rejects(pages.unary(`test.Echo/${http}`, new Uint8Array(1 << 20)), (error) => {
      assert(error instanceof RpcError);
      assert.deepEqual([error.httpStatus, error.status], [Number(http), status]);
      return true;
    });
  }
});

test("a URL of another scheme is refused", () => {
  for (const url of ["ftp://127.0.0.1", "unix:"]) assert.throws(() => connect(url).open("test.Echo/Same"), TypeError);
});
