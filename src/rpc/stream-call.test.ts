import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { test } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { StillageError } from "../base/errors.ts";
import { TestClient, TestServer } from "./server.fixture.ts";
import type { CallStream, Method } from "./service.ts";

const method = (handle: (stream: CallStream) => Promise<void>): Method => ({ kind: "stream", handle });

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

test("messages come and go one by one, in order", async () => {
  await using server = await TestServer.start({
    Echo: method(async (stream) => {
      for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
        await stream.send({ parts: [Buffer.from(message)] });
      }
    }),
  });
  using client = new TestClient(server.address);
  const messages = Array.from({ length: 60 }, (_, i) => randomBytes(i * i * 300));
  const call = client.stream("Echo");
  for (const message of messages) call.write(message);
  call.end();
  assert.deepEqual(await collect(call), messages);
});

test("a stream of megabytes up and down keeps its memory bounded by asking to wait", async () => {
  const size = 1 << 20;
  const count = 64;
  let waits = 0;
  await using server = await TestServer.start({
    Up: method(async (stream) => {
      let bytes = 0;
      for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
        assert.ok(message.every((byte) => byte === message[0]));
        bytes += message.length;
      }
      await stream.send({ parts: [Buffer.from(String(bytes))] });
    }),
    Down: method(async (stream) => {
      for (let i = 0; i < count; i++) {
        const sent = stream.send({ parts: [Buffer.from([i]), Buffer.alloc(size, i)] });
        if (sent instanceof Promise) waits++;
        await sent;
      }
    }),
  });
  using client = new TestClient(server.address);
  const up = client.stream("Up");
  for (let i = 0; i < count; i++) if (!up.write(Buffer.alloc(size, i))) await once(up, "drain");
  up.end();
  assert.equal(String(await collect(up)), String(count * size));
  const down = client.stream("Down");
  down.end();
  const messages = await collect(down);
  assert.equal(messages.length, count);
  for (const [i, message] of messages.entries())
    assert.ok(message.length === size + 1 && message.every((byte) => byte === i));
  assert.ok(waits > count / 2, `${waits} waits`);
});

test("a handler may answer before the client has said everything", async () => {
  await using server = await TestServer.start({
    Early: method(async (stream) => {
      await stream.receive();
      await stream.send({ parts: [Buffer.from("enough")] });
    }),
    Refuse: method(async (stream) => {
      await stream.receive();
      throw new StillageError("forbidden", "no writing here");
    }),
  });
  using client = new TestClient(server.address);
  for (let i = 0; i < 30; i++) {
    const early = client.stream("Early");
    for (let n = 0; n < 8; n++) early.write(Buffer.alloc(1 << 20));
    early.end();
    assert.deepEqual((await collect(early)).map(String), ["enough"]);
    const refused = client.stream("Refuse");
    for (let n = 0; n < 8; n++) refused.write(Buffer.alloc(1 << 20));
    refused.end();
    await assert.rejects(collect(refused), { code: status.PERMISSION_DENIED, details: "no writing here" });
  }
});

test("a cancelled call is heard of wherever its handler waits", async () => {
  const reasons: string[] = [];
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const note = (name: string, wait: (stream: CallStream) => Promise<unknown>): Method =>
    method(async (stream) => {
      try {
        await wait(stream);
      } catch (error) {
        reasons.push(`${name}: ${(error as StillageError).code}`);
        throw error;
      } finally {
        waiting.get(name)?.resolve();
      }
    });
  const never = new Promise<void>(() => {});
  await using server = await TestServer.start({
    Send: note("Send", async (stream) => {
      await stream.receive();
      for (;;) await stream.send({ parts: [Buffer.alloc(1 << 20)] });
    }),
    Signal: note("Signal", async (stream) => {
      await stream.send({ parts: [Buffer.from("go")] });
      await Promise.race([never, once(stream.signal, "abort")]);
      throw stream.signal.reason;
    }),
  });
  using client = new TestClient(server.address);
  for (const name of ["Send", "Signal"]) {
    const done = Promise.withResolvers<void>();
    waiting.set(name, done);
    const call = client.stream(name);
    call.write(Buffer.alloc(1));
    await once(call, "data");
    call.pause();
    const failed = once(call, "error") as Promise<[ServiceError]>;
    call.cancel();
    assert.equal((await failed)[0].code, status.CANCELLED);
    await done.promise;
  }
  assert.deepEqual(reasons, ["Send: cancelled", "Signal: cancelled"]);
});

test("errors after messages come behind them", async () => {
  await using server = await TestServer.start({
    Fail: method(async (stream) => {
      for (let i = 0; i < 5; i++) await stream.send({ parts: [Buffer.alloc(300_000, i)] });
      throw new StillageError("corrupt", "a bad block");
    }),
    Silent: method(async () => {}),
    Throw: {
      kind: "stream",
      handle: () => {
        throw new StillageError("aborted", "not even a promise");
      },
    },
  });
  using client = new TestClient(server.address);
  const call = client.stream("Fail");
  call.end();
  const lengths: number[] = [];
  call.on("data", (message: Buffer) => lengths.push(message.length));
  const [error] = (await once(call, "error")) as [ServiceError];
  assert.equal(error.code, status.DATA_LOSS);
  assert.deepEqual(lengths, new Array(5).fill(300_000));
  const silent = client.stream("Silent");
  silent.end();
  assert.deepEqual(await collect(silent), []);
  const thrown = client.stream("Throw");
  thrown.end();
  await assert.rejects(collect(thrown), { code: status.ABORTED });
});

test("messages pile up behind no handler that does not receive them", async () => {
  const wait = async (stream: CallStream): Promise<void> => {
    await stream.receive();
    await stream.send({ parts: [Buffer.from("go")] });
    await once(stream.signal, "abort");
    throw stream.signal.reason;
  };
  await using server = await TestServer.start({
    One: { kind: "stream", oneRequest: true, handle: wait },
    Many: method(wait),
  });
  const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
  const session = connect(`http://${server.address}`);
  const send = async (path: string, messages: number): Promise<string | undefined> => {
    const stream = session.request({ ...headers, ":path": path });
    const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
    stream.write(Buffer.alloc(5));
    await once(stream, "data");
    stream.resume();
    stream.write(Buffer.alloc(5 * messages));
    return (await trailers)[0]["grpc-status"] as string | undefined;
  };
  try {
    assert.equal(await send("/test.Service/One", 1), String(status.UNIMPLEMENTED));
    assert.equal(await send("/test.Service/Many", 50_000), String(status.RESOURCE_EXHAUSTED));
  } finally {
    session.destroy();
  }
});

test("a message that is too large, or a request that breaks off, ends the stream", async () => {
  const heard = Promise.withResolvers<unknown>();
  await using server = await TestServer.start({
    Take: {
      kind: "stream",
      maxRequestBytes: 1000,
      handle: async (stream) => {
        try {
          while ((await stream.receive()) !== undefined);
        } catch (error) {
          heard.resolve(error);
          throw error;
        }
      },
    },
  });
  using client = new TestClient(server.address);
  const call = client.stream("Take");
  call.write(Buffer.alloc(1000));
  call.write(Buffer.alloc(1001));
  await assert.rejects(collect(call), { code: status.RESOURCE_EXHAUSTED });
  assert.equal(((await heard.promise) as StillageError).code, "exhausted");
});
