import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { StillageError } from "../base/errors.ts";
import type { CallObserver } from "./observer.ts";
import { TestClient, TestServer } from "./server.fixture.ts";
import type { Method } from "./service.ts";

const echo: Method = { kind: "unary", handle: (request) => ({ parts: [request] }) };
const drain: Method = {
  kind: "stream",
  handle: async (stream) => {
    while ((await stream.receive()) !== undefined);
    await stream.send({ parts: [] });
  },
};

function framed(body: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

/** A gRPC call written by hand: its headers and trailers in one. */
async function call(
  server: TestServer,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const session = connect(`http://${server.address}`);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/test.Service/Echo",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const answer: IncomingHttpHeaders = {};
    stream.on("response", (received) => Object.assign(answer, received));
    stream.on("trailers", (received) => Object.assign(answer, received));
    stream.resume();
    stream.end(body);
    await once(stream, "close");
    return answer;
  } finally {
    session.destroy();
  }
}

const hello = Buffer.from("hello");
const drainPath = { ":path": "/test.Service/Drain" };

const requests: [name: string, body: Buffer, headers: OutgoingHttpHeaders, code: number][] = [
  ["one message", framed(hello), {}, status.OK],
  ["one message, with +proto", framed(hello), { "content-type": "application/grpc+proto" }, status.OK],
  ["one message, compressed", framed(gzipSync(hello), 1), { "grpc-encoding": "gzip" }, status.OK],
  ["one message of those that could be compressed", framed(hello), { "grpc-encoding": "gzip" }, status.OK],
  ["two messages", Buffer.concat([framed(hello), framed(hello)]), {}, status.UNIMPLEMENTED],
  ["no message", Buffer.alloc(0), {}, status.UNIMPLEMENTED],
  ["half a message", framed(hello).subarray(0, 7), {}, status.INVALID_ARGUMENT],
  ["half a prefix", framed(hello).subarray(0, 3), {}, status.INVALID_ARGUMENT],
  ["an unknown flag", framed(hello, 2), {}, status.INVALID_ARGUMENT],
  ["no gzip", framed(hello, 1), { "grpc-encoding": "gzip" }, status.INVALID_ARGUMENT],
  ["compressed, nobody knows how", framed(gzipSync(hello), 1), {}, status.INVALID_ARGUMENT],
  ["an unknown encoding", framed(hello), { "grpc-encoding": "snappy" }, status.UNIMPLEMENTED],
  [
    "a compressed bomb",
    framed(gzipSync(Buffer.alloc(50 << 20)), 1),
    { "grpc-encoding": "gzip" },
    status.RESOURCE_EXHAUSTED,
  ],
  ["PUT", framed(hello), { ":method": "PUT" }, status.INVALID_ARGUMENT],
  [
    "a deadline that has passed",
    framed(hello),
    { "grpc-timeout": "0m", ":path": "/test.Service/Never" },
    status.DEADLINE_EXCEEDED,
  ],
  ["an unknown method", framed(hello), { ":path": "/test.Service/None" }, status.UNIMPLEMENTED],
  ["an unknown service", framed(hello), { ":path": "/test.None/Echo" }, status.UNIMPLEMENTED],
  ["a stream of nothing", Buffer.alloc(0), drainPath, status.OK],
  [
    "a stream, one message compressed",
    Buffer.concat([framed(hello), framed(gzipSync(hello), 1)]),
    { ...drainPath, "grpc-encoding": "gzip" },
    status.OK,
  ],
  [
    "a stream, one message no gzip",
    Buffer.concat([framed(hello), framed(hello, 1)]),
    { ...drainPath, "grpc-encoding": "gzip" },
    status.INVALID_ARGUMENT,
  ],
  [
    "a stream that breaks off",
    Buffer.concat([framed(hello), framed(hello).subarray(0, 6)]),
    drainPath,
    status.INVALID_ARGUMENT,
  ],
  [
    "a stream with an unknown flag",
    Buffer.concat([framed(hello), framed(hello, 7)]),
    drainPath,
    status.INVALID_ARGUMENT,
  ],
];

for (const [name, body, headers, code] of requests) {
  test(`${name} gets status ${status[code]}`, async () => {
    const Never: Method = {
      kind: "unary",
      handle: async (_, { signal }) => {
        if (!signal.aborted) await once(signal, "abort");
        throw signal.reason;
      },
    };
    await using server = await TestServer.start({ Echo: echo, Drain: drain, Never });
    const answer = await call(server, body, headers);
    assert.deepEqual([answer[":status"], answer["content-type"]], [200, "application/grpc"]);
    assert.equal(answer["grpc-status"], String(code), answer["grpc-message"] as string);
  });
}

test("what was read to tell the protocol is not lost", async () => {
  await using server = await TestServer.start({ Echo: echo });
  const peer = {
    address: "sniffed",
    host: "sniffed",
    network: "sniffed",
    push: false,
    local: true,
    tls: false,
    certificate: undefined,
  };
  const listener = createServer((socket) => {
    socket.once("data", (head: Buffer) => {
      socket.pause();
      server.rpc.accept(socket, peer, head);
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  try {
    using client = new TestClient(`127.0.0.1:${(listener.address() as AddressInfo).port}`);
    assert.deepEqual(await client.call("Echo", hello), hello);
  } finally {
    listener.close();
  }
});

test("other kinds of gRPC are plain HTTP", async () => {
  await using server = await TestServer.start({ Echo: echo });
  for (const type of ["application/grpc-web", "application/grpc+json", "application/grpcx", "text/plain"]) {
    assert.equal((await call(server, framed(hello), { "content-type": type }))[":status"], 415);
  }
});

test("an observer hears of each call, once at its beginning and once at its end", async () => {
  const lines: string[] = [];
  const observer: CallObserver = {
    started: (each) => lines.push(`+${each.method}`),
    finished: (each, code, message, requestBytes, responseBytes, ms) => {
      assert.ok(ms >= 0 && ms < 60_000);
      lines.push(`-${each.method} ${code} ${message} ${requestBytes} ${responseBytes}`);
    },
  };
  const Fail: Method = { kind: "unary", handle: () => Promise.reject(new StillageError("not-found", "nothing")) };
  await using server = await TestServer.start({ Echo: echo, Fail, Drain: drain }, { observer });
  await call(server, framed(hello));
  await call(server, framed(hello), { ":path": "/test.Service/Fail" });
  await call(server, Buffer.concat([framed(hello), framed(hello)]), drainPath);
  await call(server, framed(hello), { ":path": "/unknown" });
  assert.deepEqual(lines, [
    "+test.Service/Echo",
    "-test.Service/Echo 0  5 5",
    "+test.Service/Fail",
    "-test.Service/Fail 5 nothing 5 0",
    "+test.Service/Drain",
    "-test.Service/Drain 0  10 0",
  ]);
});

test("closing lets calls that run end, and refuses others", async () => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const Slow: Method = {
    kind: "unary",
    handle: async (request) => {
      started.resolve();
      await finish.promise;
      return { parts: [request] };
    },
  };
  await using server = await TestServer.start({ Slow });
  using client = new TestClient(server.address);
  const answer = client.call("Slow", hello);
  await started.promise;
  const closed = server.rpc.close(60_000);
  finish.resolve();
  assert.deepEqual(await answer, hello);
  await closed;
  assert.equal(server.rpc.connections(), 0);
  await assert.rejects(client.call("Slow", hello), { code: status.UNAVAILABLE });
});

test("calls that outlast the grace time are cut, and closing waits for their handlers", async () => {
  const started = Promise.withResolvers<void>();
  let ended = false;
  const Stuck: Method = {
    kind: "unary",
    handle: async (_, { signal }) => {
      started.resolve();
      await once(signal, "abort");
      await new Promise(setImmediate);
      ended = true;
      throw signal.reason;
    },
  };
  await using server = await TestServer.start({ Stuck });
  using client = new TestClient(server.address);
  const answer = assert.rejects(client.call("Stuck", hello), { code: status.UNAVAILABLE });
  await started.promise;
  await server.rpc.close(1);
  assert.equal(ended, true);
  await answer;
});

test("calls that were reset count as long as their handlers run", async () => {
  const finish = Promise.withResolvers<void>();
  let runs = 0;
  const Deaf: Method = {
    kind: "unary",
    handle: async (request) => {
      runs++;
      await finish.promise;
      return { parts: [request] };
    },
  };
  await using server = await TestServer.start({ Deaf }, { limits: { maxConcurrentStreams: 2 } });
  const session = connect(`http://${server.address}`);
  const headers = { ":method": "POST", ":path": "/test.Service/Deaf", "content-type": "application/grpc" };
  try {
    for (let i = 1; i <= 4; i++) {
      const stream = session.request(headers);
      stream.end(framed(hello));
      while (runs < i) await new Promise(setImmediate);
      stream.close(8);
    }
    const refused = session.request(headers);
    refused.end(framed(hello));
    const [error] = (await once(refused, "error")) as [Error];
    assert.match(error.message, /REFUSED_STREAM/);
    finish.resolve();
    assert.equal(runs, 4);
  } finally {
    session.destroy();
  }
});

test("a client that does not read makes its own large calls wait, and nobody else's", async () => {
  const size = 1 << 20;
  let runs = 0;
  const Large: Method = {
    kind: "unary",
    handle: () => {
      runs++;
      return { parts: [Buffer.alloc(size)] };
    },
  };
  await using server = await TestServer.start({ Large, Echo: echo }, { limits: { responseMemoryBytes: 8 << 20 } });
  const session = connect(`http://${server.address}`, { settings: { initialWindowSize: 1000 } });
  const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
  try {
    const streams = Array.from({ length: 40 }, () => {
      const stream = session.request({ ...headers, ":path": "/test.Service/Large" });
      stream.on("error", () => {});
      stream.end(framed(hello));
      return stream;
    });
    await Promise.all(streams.slice(0, 8).map((stream) => once(stream, "response")));
    // A short call on the same connection, and a long one on another.
    const short = session.request({ ...headers, ":path": "/test.Service/Echo" });
    short.end(framed(hello));
    short.resume();
    const [trailers] = (await once(short, "trailers")) as [IncomingHttpHeaders];
    assert.equal(trailers["grpc-status"], "0");
    assert.ok(runs >= 8 && runs <= 10, `${runs} ran`);
    using other = new TestClient(server.address);
    assert.equal((await other.call("Large", hello)).length, size);
    // Some give up; the others get theirs, one after the other.
    for (const stream of streams.slice(0, 12)) stream.close(8);
    const lengths = await Promise.all(
      streams.slice(12).map(async (stream) => {
        let length = 0;
        for await (const chunk of stream) length += (chunk as Buffer).length;
        return length;
      }),
    );
    assert.deepEqual(lengths, new Array(28).fill(size + 5));
    assert.ok(runs <= 10 + 28 + 12, `${runs} ran`);
  } finally {
    session.destroy();
  }
});
