import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { StillageError } from "../base/errors.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { TestClient, TestServer } from "./server.fixture.ts";
import type { Method } from "./service.ts";

const echo: Method = { kind: "unary", handle: (request) => ({ parts: [request] }) };
const lateEcho: Method = {
  kind: "unary",
  handle: async (request) => {
    await new Promise(setImmediate);
    return { parts: [request.subarray(0, 3), request.subarray(3)] };
  },
};

function failure(code: number, message: RegExp): (error: ServiceError) => boolean {
  return (error) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.details, message);
    return true;
  };
}

test("messages of all lengths go both ways unchanged", async () => {
  await using server = await TestServer.start({ Echo: echo, LateEcho: lateEcho });
  using client = new TestClient(server.address, { "grpc.max_receive_message_length": -1 });
  for (const length of [0, 1, 4, 2048, 2049, 16_379, 16_384, 70_000, 1 << 20, 4 << 20]) {
    const message = randomBytes(length);
    for (const method of ["Echo", "LateEcho"])
      assert.deepEqual(await client.call(method, message), message, `${method} ${length}`);
  }
});

test("many calls at a time keep their messages apart", async () => {
  await using server = await TestServer.start({ Echo: echo, LateEcho: lateEcho });
  using client = new TestClient(server.address);
  await Promise.all(
    Array.from({ length: 600 }, async (_, i) => {
      const message = randomBytes((i * 997) % 60_000);
      assert.deepEqual(await client.call(i % 2 === 0 ? "Echo" : "LateEcho", message), message);
    }),
  );
});

test("an error becomes a status with its message", async () => {
  await using server = await TestServer.start({
    Now: {
      kind: "unary",
      handle: () => {
        throw new StillageError("not-found", "no blob “ä” at 100% \n here");
      },
    },
    Later: {
      kind: "unary",
      handle: async () => Promise.reject(new StillageError("exhausted", "full", { retryAfterMs: 1500 })),
    },
    Bug: { kind: "unary", handle: () => Promise.reject(new TypeError("secret")) },
    Long: {
      kind: "unary",
      handle: () => Promise.reject(new StillageError("invalid", "ä".repeat(100_000), { retryAfterMs: 1 })),
    },
  });
  using client = new TestClient(server.address);
  await assert.rejects(client.call("Now", Buffer.alloc(1)), failure(status.NOT_FOUND, /^no blob “ä” at 100% \n here$/));
  await assert.rejects(client.call("Later", Buffer.alloc(1)), (error: ServiceError) => {
    const details = fromBinary(StatusSchema, error.metadata.get("grpc-status-details-bin")[0] as Buffer);
    assert.equal(details.code, status.RESOURCE_EXHAUSTED);
    assert.equal(details.details[0]?.typeUrl, "type.googleapis.com/google.rpc.RetryInfo");
    return failure(status.RESOURCE_EXHAUSTED, /^full$/)(error);
  });
  await assert.rejects(client.call("Bug", Buffer.alloc(1)), failure(status.INTERNAL, /^an unexpected error/));
  await assert.rejects(client.call("Long", Buffer.alloc(1)), failure(status.INVALID_ARGUMENT, /^ä+$/));
  await assert.rejects(client.call("None", Buffer.alloc(1)), failure(status.UNIMPLEMENTED, /test.Service\/None/));
});

test("a message over the limit is refused, one at the limit is not", async () => {
  await using server = await TestServer.start({ Echo: { ...echo, maxRequestBytes: 1000 } });
  using client = new TestClient(server.address);
  assert.equal((await client.call("Echo", Buffer.alloc(1000))).length, 1000);
  await assert.rejects(client.call("Echo", Buffer.alloc(1001)), failure(status.RESOURCE_EXHAUSTED, /1001 bytes/));
  await assert.rejects(
    client.call("Echo", Buffer.alloc(3_000_000)),
    failure(status.RESOURCE_EXHAUSTED, /at most 1000/),
  );
  assert.equal((await client.call("Echo", Buffer.alloc(7))).length, 7);
});

test("compressed requests are understood, within the limit", async () => {
  await using server = await TestServer.start({ Echo: { ...echo, maxRequestBytes: 100_000 } });
  using client = new TestClient(server.address, { "grpc.default_compression_algorithm": 2 });
  const text = Buffer.from("again and again ".repeat(1000));
  assert.deepEqual(await client.call("Echo", text), text);
  await assert.rejects(client.call("Echo", Buffer.alloc(200_000)), failure(status.RESOURCE_EXHAUSTED, /100000/));
});

test("compressed requests wait for memory for what they become", async () => {
  const finish = Promise.withResolvers<void>();
  const some = Promise.withResolvers<void>();
  let runs = 0;
  let running = 0;
  let most = 0;
  const Hold: Method = {
    kind: "unary",
    handle: async (request) => {
      runs++;
      most = Math.max(most, ++running);
      if (running === 4) some.resolve();
      await finish.promise;
      running--;
      return { parts: [Buffer.from(String(request.length))] };
    },
  };
  const size = 1 << 20;
  await using server = await TestServer.start({ Hold }, { limits: { expandedMemoryBytes: 4 * size } });
  using client = new TestClient(server.address, { "grpc.default_compression_algorithm": 2 });
  const call = (options = {}): Promise<Buffer> => client.call("Hold", Buffer.alloc(size), undefined, options);
  const answers = Array.from({ length: 20 }, () => call());
  await some.promise;
  const deadline = Date.now() + 100;
  const cut = Array.from({ length: 20 }, () => call({ deadline }));
  await Promise.all(cut.map((answer) => assert.rejects(answer, failure(status.DEADLINE_EXCEEDED, /./))));
  finish.resolve();
  assert.deepEqual((await Promise.all(answers)).map(String), new Array(20).fill(String(size)));
  assert.deepEqual([most, runs], [4, 20]);
});

test("a handler sees headers and peer; metadata beyond the limit is refused", async () => {
  await using server = await TestServer.start({
    Ask: {
      kind: "unary",
      handle: (_, call) => ({
        parts: [Buffer.from(JSON.stringify([call.method, call.header("x-a"), call.header("x-b-bin"), call.peer.push]))],
      }),
    },
  });
  using client = new TestClient(server.address);
  const metadata = new Metadata();
  metadata.add("x-a", "1");
  metadata.add("x-a", "2");
  metadata.add("x-b-bin", Buffer.from([1, 2, 3]));
  const seen: unknown = JSON.parse(String(await client.call("Ask", Buffer.alloc(0), metadata)));
  assert.deepEqual(seen, ["test.Service/Ask", "1, 2", "AQID", true]);
  const large = new Metadata();
  for (let i = 0; i < 10; i++) large.add(`x-large-${i}`, "y".repeat(8000));
  await assert.rejects(client.call("Ask", Buffer.alloc(0), large), failure(status.RESOURCE_EXHAUSTED, /metadata/));
  assert.equal((await client.call("Ask", Buffer.alloc(0))).length > 0, true);
});

test("a call ends at its deadline and its handler hears of it", async () => {
  const aborted = Promise.withResolvers<unknown>();
  await using server = await TestServer.start({
    Wait: {
      kind: "unary",
      handle: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted.resolve(signal.reason);
            reject(signal.reason);
          });
        }),
    },
  });
  using client = new TestClient(server.address);
  await assert.rejects(
    client.call("Wait", Buffer.alloc(1), undefined, { deadline: Date.now() + 50 }),
    failure(status.DEADLINE_EXCEEDED, /./),
  );
  assert.match(String(await aborted.promise), /deadline|cancelled/);
});

test("lenders of replies are told, whether the reply went out or not", async () => {
  let told = 0;
  const sent = (): void => {
    told++;
  };
  const cancelled = Promise.withResolvers<void>();
  await using server = await TestServer.start({
    Small: { kind: "unary", handle: () => ({ parts: [Buffer.alloc(10)], sent }) },
    Large: { kind: "unary", handle: async () => ({ parts: [Buffer.alloc(1 << 20), Buffer.alloc(0)], sent }) },
    Late: {
      kind: "unary",
      handle: async (_, { signal }) => {
        signal.addEventListener("abort", () => cancelled.resolve());
        await cancelled.promise;
        return { parts: [Buffer.alloc(1 << 20)], sent };
      },
    },
  });
  using client = new TestClient(server.address);
  await client.call("Small", Buffer.alloc(1));
  await client.call("Large", Buffer.alloc(1));
  assert.equal(told, 2);
  await assert.rejects(client.call("Late", Buffer.alloc(1), undefined, { deadline: Date.now() + 20 }));
  await cancelled.promise;
  await new Promise(setImmediate);
  assert.equal(told, 3);
});
