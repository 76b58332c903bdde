import assert from "node:assert/strict";
import { test } from "node:test";
import { TestListener } from "./connection.fixture.ts";
import { errorCode, flag, frameType } from "./protocol.ts";
import { frame, headers, RawClient, settings, uint32 } from "./raw-client.fixture.ts";

const { ping, priority, data, rstStream, continuation, windowUpdate } = frameType;
const many = 30_000;

const repeated = (bytes: Uint8Array, count: number): Buffer => Buffer.concat(new Array(count).fill(bytes));

/** Frames that ask for nothing, by the tens of thousands. */
const floods: [name: string, first: Buffer, bytes: Buffer][] = [
  ["PING", Buffer.alloc(0), frame(ping, 0, 0, Buffer.alloc(8))],
  ["acknowledgements of PING", Buffer.alloc(0), frame(ping, flag.ack, 0, Buffer.alloc(8))],
  ["SETTINGS", Buffer.alloc(0), settings([4, 1000])],
  ["PRIORITY", Buffer.alloc(0), frame(priority, 0, 1, Buffer.alloc(5))],
  ["unknown frames", Buffer.alloc(0), frame(200, 0, 0)],
  ["empty DATA", headers(1), frame(data, 0, 1)],
  [
    "RST_STREAM of a stream that is over",
    Buffer.concat([headers(1), frame(rstStream, 0, 1, uint32(8))]),
    frame(rstStream, 0, 1, uint32(8)),
  ],
  ["DATA for a stream that is over", Buffer.concat([headers(1), frame(rstStream, 0, 1, uint32(8))]), frame(data, 0, 1)],
  ["WINDOW_UPDATE for a stream that is over", headers(1, flag.endStream), frame(windowUpdate, 0, 1, uint32(1))],
];

for (const [name, first, bytes] of floods) {
  test(`a flood of ${name} ends the connection`, async () => {
    await using listener = await TestListener.start();
    using client = await RawClient.connect(listener.port);
    client.send(first, repeated(bytes, many));
    assert.equal(await client.goaway(), errorCode.enhanceYourCalm);
    await client.ended();
  });
}

test("a header block without end ends the connection", async () => {
  await using listener = await TestListener.start();
  for (const piece of [Buffer.alloc(0), Buffer.alloc(16_384, 0x82)]) {
    using client = await RawClient.connect(listener.port);
    client.send(frame(frameType.headers, 0, 1), repeated(frame(continuation, 0, 1, piece), 100));
    assert.equal(await client.goaway(), errorCode.enhanceYourCalm);
  }
});

test("a client that asks for answers and does not read them is cut off before they fill memory", async () => {
  await using listener = await TestListener.start();
  using client = await RawClient.connect(listener.port);
  client.socket.pause();
  // With work in between, so that it is the unread answers that count.
  const pings = repeated(frame(ping, 0, 0, Buffer.alloc(8)), 10_000);
  for (let stream = 1; listener.errors.length === 0; stream += 2) {
    assert.ok(stream < 1000, "still there after five million pings");
    client.send(pings, headers(stream, flag.endStream));
    await new Promise(setImmediate);
  }
  assert.match(String(listener.errors[0]), /nobody reads/);
});

test("clients that open and reset many streams, and ping with each, are served", async () => {
  await using listener = await TestListener.start();
  using client = await RawClient.connect(listener.port);
  for (let i = 0; i < 5000; i++) {
    const stream = 2 * i + 1;
    client.send(
      headers(stream),
      frame(data, 0, stream, Buffer.alloc(3)),
      frame(rstStream, 0, stream, uint32(8)),
      frame(ping, 0, 0, Buffer.alloc(8)),
    );
    if (i % 100 === 99) await client.settled();
    client.frames.length = 0;
  }
  client.send(headers(10_001, flag.endStream));
  await client.next(frameType.headers, 10_001);
  assert.equal(listener.requests.length, 5001);
});

test("clients that reset every stream after its answer, as libcurl 7.88 does, are served", async () => {
  await using listener = await TestListener.start();
  using client = await RawClient.connect(listener.port);
  const requests = 12_000; // more than may be given up
  for (let i = 0; i < requests; i++) {
    const stream = 2 * i + 1;
    client.send(headers(stream, flag.endStream));
    if (i % 100 !== 99) continue;
    await client.settled();
    const answered = client.frames.filter(({ type }) => type === frameType.headers);
    assert.equal(answered.length, 100);
    client.send(...answered.map(({ stream: each }) => frame(rstStream, 0, each, uint32(8))));
    client.frames.length = 0;
  }
  await client.settled();
  assert.equal(listener.requests.length, requests);
});

test("a client that opens streams only to reset them is cut off", async () => {
  await using listener = await TestListener.start();
  using client = await RawClient.connect(listener.port);
  const pairs: Uint8Array[] = [];
  for (let stream = 1; stream < 60_000; stream += 2)
    pairs.push(headers(stream), frame(rstStream, 0, stream, uint32(8)));
  client.send(...pairs);
  assert.equal(await client.goaway(), errorCode.enhanceYourCalm);
  await client.ended();
  assert.ok(listener.requests.length <= 10_001, String(listener.requests.length));
});
