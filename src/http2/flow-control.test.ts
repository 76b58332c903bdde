import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { type Received, TestListener } from "./connection.fixture.ts";
import { encodeHeaders } from "./hpack-encoder.ts";
import { clientPreface, errorCode, flag, frameType, setting } from "./protocol.ts";
import { type Frame, frame, headers, RawClient, settings, uint32 } from "./raw-client.fixture.ts";

const { data, windowUpdate } = frameType;
const { initialWindowSize, maxFrameSize } = setting;
const ok = encodeHeaders([[":status", "200"]]);

/** Answers each request with `body`. */
const give =
  (body: Buffer) =>
  ({ stream }: Received): void => {
    stream.headers(ok, false);
    stream.write(body.subarray(0, 3), [body.subarray(3, 4000), body.subarray(4000)], body.length, {});
    stream.end();
  };

const start = (...values: [number, number][]): Buffer => Buffer.concat([clientPreface, settings(...values)]);
const isData = ({ type }: Frame): boolean => type === data;
const update = (stream: number, bytes: number): Buffer => frame(windowUpdate, 0, stream, uint32(bytes));

test("a response trickles through a window of one byte", async () => {
  const body = randomBytes(200);
  await using listener = await TestListener.start(give(body));
  using client = await RawClient.connect(listener.port, start([initialWindowSize, 1]));
  client.send(headers(1, flag.endStream));
  const received: Buffer[] = [];
  for (;;) {
    const { payload, flags } = await client.next(data);
    assert.equal(payload.length, 1);
    received.push(payload);
    if ((flags & flag.endStream) !== 0) break;
    client.send(update(1, 1));
  }
  assert.deepEqual(Buffer.concat(received), body);
});

test("a window that was taken back is made up for before anything is sent", async () => {
  await using listener = await TestListener.start(give(Buffer.alloc(5000, 7)));
  using client = await RawClient.connect(listener.port, start([initialWindowSize, 1000]));
  client.send(headers(1, flag.endStream));
  assert.equal((await client.next(data)).payload.length, 1000);
  // The window is now -600.
  client.send(settings([initialWindowSize, 400]), update(1, 600));
  await client.settled();
  assert.deepEqual(client.frames.filter(isData), []);
  client.send(update(1, 1));
  assert.equal((await client.next(data)).payload.length, 1);
  client.send(settings([initialWindowSize, 500]));
  assert.equal((await client.next(data)).payload.length, 100);
  // New streams have the new window.
  client.send(headers(3, flag.endStream));
  assert.equal((await client.next(data, 3)).payload.length, 500);
  client.send(settings([initialWindowSize, 1_000_000]));
  const last = await client.until((each) => each.stream === 1 && (each.flags & flag.endStream) !== 0);
  assert.equal(last.type, data);
});

test("streams share the connection's window by turns, and a blocked one does not block the others", async () => {
  await using listener = await TestListener.start(give(Buffer.alloc(300_000)));
  using client = await RawClient.connect(listener.port, start([initialWindowSize, 0]));
  client.send(...[1, 3, 5, 7].map((stream) => headers(stream, flag.endStream)));
  await client.settled();
  assert.deepEqual(client.frames.filter(isData), []);
  client.send(...[3, 5, 7].map((stream) => update(stream, 300_000)));
  const counts = new Map<number, number>();
  let sum = 0;
  for (; sum < 65_535; sum += counts.get(0) ?? 0) {
    const { stream, payload } = await client.next(data);
    counts.set(stream, (counts.get(stream) ?? 0) + payload.length);
    counts.set(0, payload.length);
  }
  assert.equal(sum, 65_535);
  client.send(update(0, 400_000));
  counts.clear();
  for (sum = 0; sum < 400_000; ) {
    const { stream, payload } = await client.next(data);
    counts.set(stream, (counts.get(stream) ?? 0) + payload.length);
    sum += payload.length;
  }
  assert.deepEqual([...counts.keys()].sort(), [3, 5, 7]);
  for (const bytes of counts.values()) assert.ok(bytes > 60_000, `${bytes}`);
});

test("frames are as large as the client takes them, blocks of headers as well", async () => {
  const body = randomBytes(100_000);
  const long = encodeHeaders([
    [":status", "200"],
    ["x-long", "v".repeat(40_000)],
  ]);
  await using listener = await TestListener.start(({ stream }) => {
    stream.headers(long, false);
    stream.write(Buffer.alloc(0), [body], body.length, {});
    stream.end();
  });
  for (const [size, frames] of [
    [16_384, 7],
    [40_000, 3],
    [1_000_000, 2],
  ] as const) {
    using client = await RawClient.connect(listener.port, start([initialWindowSize, 200_000], [maxFrameSize, size]));
    client.send(update(0, 200_000), headers(1, flag.endStream));
    const block: Buffer[] = [];
    let piece = await client.next(frameType.headers);
    for (; ; piece = await client.next(frameType.continuation)) {
      assert.ok(piece.payload.length <= size);
      block.push(piece.payload);
      if ((piece.flags & flag.endHeaders) !== 0) break;
    }
    assert.deepEqual(Buffer.concat(block), long);
    const received: Buffer[] = [];
    while (Buffer.concat(received).length < body.length) received.push((await client.next(data)).payload);
    assert.deepEqual(Buffer.concat(received), body);
    assert.equal(received.length, frames);
  }
});

test("a client that sends more than it may is stopped", async () => {
  await using listener = await TestListener.start(undefined, {
    streamWindowBytes: 20_000,
    connectionWindowBytes: 100_000,
  });
  using client = await RawClient.connect(listener.port);
  const piece = Buffer.alloc(10_000);
  client.send(headers(1));
  await client.settled();
  const request = listener.requests[0] as Received;
  request.stream.grant = () => {};
  client.send(frame(data, 0, 1, piece), frame(data, 0, 1, piece), frame(data, 0, 1, piece.subarray(0, 1)));
  assert.equal(await client.reset(1), errorCode.flowControlError);
  assert.equal((await request.abortedWith.promise).code, "cancelled");
});

test("the connection's window is given back as data comes, read or not", async () => {
  await using listener = await TestListener.start(undefined, {
    streamWindowBytes: 1_000_000,
    connectionWindowBytes: 100_000,
  });
  using client = await RawClient.connect(listener.port);
  client.send(headers(1), frame(frameType.rstStream, 0, 1, uint32(8)), headers(3));
  let granted = 65_535;
  for (let sent = 0; sent < 1_000_000; sent += 10_000) {
    while (granted < sent + 10_000) granted += (await client.next(windowUpdate, 0)).payload.readUInt32BE();
    client.send(frame(data, 0, sent % 20_000 === 0 ? 1 : 3, Buffer.alloc(10_000)));
  }
  await client.settled();
  assert.equal(listener.requests[1]?.body.length, 500_000);
});

test("a response waits for a client that does not read, and its memory with it", async () => {
  const size = 1 << 20;
  let sent = 0;
  const done = Promise.withResolvers<void>();
  await using listener = await TestListener.start(async (request) => {
    const { stream } = request;
    stream.headers(ok, false);
    for (let i = 0; i < 64; i++) {
      stream.write(Buffer.alloc(0), [Buffer.alloc(size, i)], size, { sent: () => sent++ });
      await request.room(0);
    }
    stream.end();
    done.resolve();
  });
  using client = await RawClient.connect(listener.port, start([initialWindowSize, 2 ** 31 - 1]));
  client.send(update(0, 2 ** 31 - 1 - 65_535));
  client.socket.pause();
  client.send(headers(1, flag.endStream));
  // The sockets take a few megabytes; beyond that the writer waits.
  const [connection] = listener.connections;
  while (listener.requests.length === 0) await new Promise(setImmediate);
  let before = -1;
  for (let quiet = 0; quiet < 200; quiet++) {
    await new Promise(setImmediate);
    if (sent !== before) quiet = 0;
    before = sent;
  }
  assert.ok(sent < 32, `${sent} of 64 were sent`);
  assert.ok((connection?.queued ?? 0) <= size);
  client.socket.resume();
  await done.promise;
  await client.until((each) => (each.flags & flag.endStream) !== 0);
  assert.equal(sent, 64);
});

test("lenders are told once, also when the stream or the connection ends before its time", async () => {
  const told: number[] = [];
  await using listener = await TestListener.start(({ stream }) => {
    stream.headers(ok, false);
    for (const i of [0, 1, 2]) {
      stream.write(Buffer.alloc(0), [Buffer.alloc(50_000)], 50_000, { sent: () => (told[i] = (told[i] ?? 0) + 1) });
    }
  });
  using client = await RawClient.connect(listener.port);
  client.send(headers(1, flag.endStream));
  await client.next(data);
  await client.settled();
  assert.deepEqual(told, [1]);
  client.send(frame(frameType.rstStream, 0, 1, uint32(8)));
  await client.settled();
  assert.deepEqual(told, [1, 1, 1]);
  client.send(update(0, 50_000), headers(3, flag.endStream));
  await client.next(data, 3);
  client.socket.destroy();
  await listener.requests[1]?.abortedWith.promise;
  await new Promise(setImmediate);
  assert.deepEqual(told, [2, 2, 2]);
  listener.requests[1]?.stream.write(Buffer.alloc(0), [Buffer.alloc(9)], 9, { sent: () => told.push(9) });
  assert.deepEqual(told, [2, 2, 2, 9]);
});
