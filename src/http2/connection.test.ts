import assert from "node:assert/strict";
import { test } from "node:test";
import { TestListener } from "./connection.fixture.ts";
import { encodeHeaders } from "./hpack-encoder.ts";
import { clientPreface, errorCode, flag, frameType } from "./protocol.ts";
import { frame, headers, postHeaders, RawClient, settings, uint32 } from "./raw-client.fixture.ts";

const {
  protocolError,
  streamClosed,
  frameSizeError,
  flowControlError,
  compressionError,
  refusedStream,
  enhanceYourCalm,
} = errorCode;
const { data, continuation, priority, rstStream, pushPromise, ping, goaway, windowUpdate } = frameType;
const { endStream, endHeaders, padded } = flag;

/** What a client must not do to a connection: what it sends, and the code of the GOAWAY that follows. */
const connectionErrors: [name: string, bytes: Buffer, code: number][] = [
  ["DATA on stream 0", frame(data, 0, 0, Buffer.alloc(1)), protocolError],
  ["DATA on an idle stream", frame(data, 0, 1, Buffer.alloc(1)), protocolError],
  ["HEADERS on stream 0", headers(0), protocolError],
  ["HEADERS on an even stream", headers(2), protocolError],
  ["HEADERS on a lower stream", Buffer.concat([headers(5), headers(3)]), protocolError],
  ["PRIORITY on stream 0", frame(priority, 0, 0, Buffer.alloc(5)), protocolError],
  ["RST_STREAM on stream 0", frame(rstStream, 0, 0, uint32(0)), protocolError],
  ["RST_STREAM on an idle stream", frame(rstStream, 0, 7, uint32(0)), protocolError],
  ["RST_STREAM of 3 bytes", Buffer.concat([headers(1), frame(rstStream, 0, 1, Buffer.alloc(3))]), frameSizeError],
  ["SETTINGS on a stream", frame(frameType.settings, 0, 1), protocolError],
  ["SETTINGS of 5 bytes", frame(frameType.settings, 0, 0, Buffer.alloc(5)), frameSizeError],
  ["an acknowledgement with payload", frame(frameType.settings, flag.ack, 0, Buffer.alloc(6)), frameSizeError],
  ["ENABLE_PUSH 2", settings([2, 2]), protocolError],
  ["INITIAL_WINDOW_SIZE 2^31", settings([4, 2 ** 31]), flowControlError],
  ["MAX_FRAME_SIZE 16383", settings([5, 16_383]), protocolError],
  ["MAX_FRAME_SIZE 2^24", settings([5, 2 ** 24]), protocolError],
  ["PUSH_PROMISE", Buffer.concat([headers(1), frame(pushPromise, endHeaders, 1, uint32(2))]), protocolError],
  ["PING on a stream", frame(ping, 0, 1, Buffer.alloc(8)), protocolError],
  ["PING of 7 bytes", frame(ping, 0, 0, Buffer.alloc(7)), frameSizeError],
  ["GOAWAY on a stream", frame(goaway, 0, 1, Buffer.alloc(8)), protocolError],
  ["GOAWAY of 7 bytes", frame(goaway, 0, 0, Buffer.alloc(7)), frameSizeError],
  ["WINDOW_UPDATE of 3 bytes", frame(windowUpdate, 0, 0, Buffer.alloc(3)), frameSizeError],
  ["WINDOW_UPDATE by 0", frame(windowUpdate, 0, 0, uint32(0)), protocolError],
  ["WINDOW_UPDATE on an idle stream", frame(windowUpdate, 0, 9, uint32(1)), protocolError],
  ["WINDOW_UPDATE beyond 2^31-1", frame(windowUpdate, 0, 0, uint32(2 ** 31 - 1)), flowControlError],
  ["CONTINUATION of nothing", frame(continuation, endHeaders, 1), protocolError],
  ["a block that DATA interrupts", Buffer.concat([frame(frameType.headers, 0, 1), frame(data, 0, 1)]), protocolError],
  [
    "a block that PING interrupts",
    Buffer.concat([frame(frameType.headers, 0, 1), frame(ping, 0, 0, Buffer.alloc(8))]),
    protocolError,
  ],
  [
    "a block that an unknown frame interrupts",
    Buffer.concat([frame(frameType.headers, 0, 1), frame(99, 0, 0)]),
    protocolError,
  ],
  [
    "CONTINUATION of another stream",
    Buffer.concat([frame(frameType.headers, 0, 1), frame(continuation, endHeaders, 3)]),
    protocolError,
  ],
  [
    "more padding than payload in HEADERS",
    frame(frameType.headers, endHeaders | padded, 1, Buffer.from([9, 0x83])),
    protocolError,
  ],
  ["HEADERS padded and empty", frame(frameType.headers, endHeaders | padded, 1), frameSizeError],
  [
    "HEADERS too short for its priority",
    frame(frameType.headers, endHeaders | flag.priority, 1, Buffer.alloc(4)),
    frameSizeError,
  ],
  [
    "more padding than payload in DATA",
    Buffer.concat([headers(1), frame(data, padded, 1, Buffer.from([1]))]),
    protocolError,
  ],
  ["DATA padded and empty", Buffer.concat([headers(1), frame(data, padded, 1)]), frameSizeError],
  ["a frame of 16385 bytes", frame(99, 0, 0, Buffer.alloc(16_385)), frameSizeError],
  ["an index without an entry", frame(frameType.headers, endHeaders, 1, Buffer.from([0xff, 0x00])), compressionError],
  ["index 0", frame(frameType.headers, endHeaders, 1, Buffer.from([0x80])), compressionError],
  ["HEADERS on a stream that is over", Buffer.concat([headers(1, endStream), headers(1, endStream)]), streamClosed],
];

for (const [name, bytes, code] of connectionErrors) {
  test(`${name} ends the connection`, async () => {
    await using listener = await TestListener.start();
    using client = await RawClient.connect(listener.port);
    client.send(bytes);
    assert.equal(await client.goaway(), code);
    await client.ended();
    await listener.over(1);
  });
}

/** What a client must not do on a stream: what it sends, and the code of the reset that follows. The connection goes on. */
const streamErrors: [name: string, bytes: Buffer, code: number][] = [
  [
    "DATA after the end",
    Buffer.concat([headers(1, endStream, [...postHeaders, ["x-hold", "1"]]), frame(data, 0, 1)]),
    streamClosed,
  ],
  ["WINDOW_UPDATE by 0", Buffer.concat([headers(1), frame(windowUpdate, 0, 1, uint32(0))]), protocolError],
  [
    "WINDOW_UPDATE beyond 2^31-1",
    Buffer.concat([headers(1), frame(windowUpdate, 0, 1, uint32(2 ** 31 - 1))]),
    flowControlError,
  ],
  [
    "PRIORITY on itself",
    Buffer.concat([headers(1), frame(priority, 0, 1, Buffer.from([0, 0, 0, 1, 0]))]),
    protocolError,
  ],
  ["PRIORITY of 4 bytes", Buffer.concat([headers(1), frame(priority, 0, 1, Buffer.alloc(4))]), frameSizeError],
  ["trailers that do not end", Buffer.concat([headers(1), headers(1, 0, [["x", "y"]])]), protocolError],
  ["trailers with a pseudo-header", Buffer.concat([headers(1), headers(1, endStream)]), protocolError],
  [
    "a body shorter than announced",
    Buffer.concat([
      headers(1, 0, [...postHeaders, ["content-length", "2"]]),
      frame(data, endStream, 1, Buffer.alloc(1)),
    ]),
    protocolError,
  ],
  [
    "a body longer than announced",
    Buffer.concat([headers(1, 0, [...postHeaders, ["content-length", "2"]]), frame(data, 0, 1, Buffer.alloc(3))]),
    protocolError,
  ],
  ["no body where one was announced", headers(1, endStream, [...postHeaders, ["content-length", "2"]]), protocolError],
  ["two lengths", headers(1, 0, [...postHeaders, ["content-length", "2"], ["content-length", "3"]]), protocolError],
  ["a length that is none", headers(1, 0, [...postHeaders, ["content-length", "-2"]]), protocolError],
  ["no method", headers(1, 0, postHeaders.slice(1)), protocolError],
  ["an empty path", headers(1, 0, [...postHeaders.slice(0, 2), [":path", ""]]), protocolError],
  ["two paths", headers(1, 0, [...postHeaders, [":path", "/x"]]), protocolError],
  ["a pseudo-header after a header", headers(1, 0, [["x", "y"], ...postHeaders]), protocolError],
  ["a response's pseudo-header", headers(1, 0, [...postHeaders, [":status", "200"]]), protocolError],
  ["an unknown pseudo-header", headers(1, 0, [...postHeaders, [":x", "y"]]), protocolError],
  ["a capital in a name", headers(1, 0, [...postHeaders, ["X", "y"]]), protocolError],
  ["an empty name", headers(1, 0, [...postHeaders, ["", "y"]]), protocolError],
  ["a line break in a value", headers(1, 0, [...postHeaders, ["x", "y\r\nz"]]), protocolError],
  ["a connection header", headers(1, 0, [...postHeaders, ["connection", "close"]]), protocolError],
  ["TE other than trailers", headers(1, 0, [...postHeaders, ["te", "gzip"]]), protocolError],
  ["CONNECT", headers(1, 0, [[":method", "CONNECT"], ...postHeaders.slice(1)]), protocolError],
];

for (const [name, bytes, code] of streamErrors) {
  test(`${name} ends the stream alone`, async () => {
    await using listener = await TestListener.start((request) => {
      if (request.headers.get("x-hold") === undefined) request.stream.end();
    });
    using client = await RawClient.connect(listener.port);
    client.send(bytes);
    assert.equal(await client.reset(1), code);
    client.send(headers(3, endStream));
    await client.next(data, 3);
  });
}

test("what is no HTTP/2 is refused at once", async () => {
  await using listener = await TestListener.start();
  for (const first of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX", "\0\0\0\0\0"]) {
    using client = await RawClient.connect(listener.port, Buffer.from(first));
    assert.equal(await client.goaway(), protocolError);
    await client.ended();
  }
  using client = await RawClient.connect(
    listener.port,
    Buffer.concat([clientPreface, frame(ping, 0, 0, Buffer.alloc(8))]),
  );
  assert.equal(await client.goaway(), protocolError);
});

test("padding, priority, continuations and trailers are understood, byte by byte", async () => {
  await using listener = await TestListener.start();
  using client = await RawClient.connect(listener.port);
  const block = encodeHeaders([...postHeaders, ["x-long", "v".repeat(300)], ["cookie", "a=1"], ["cookie", "b=2"]]);
  const prefix = Buffer.from([3, 0, 0, 0, 9, 200]);
  const bytes = Buffer.concat([
    frame(frameType.headers, padded | flag.priority, 1, Buffer.concat([prefix, block.subarray(0, 2), Buffer.alloc(3)])),
    frame(continuation, 0, 1, block.subarray(2, 100)),
    frame(continuation, 0, 1),
    frame(continuation, endHeaders, 1, block.subarray(100)),
    frame(99, 0xff, 1, Buffer.from("ignored")),
    frame(data, padded, 1, Buffer.from("\x02abc\0\0")),
    frame(priority, 0, 1, Buffer.alloc(5)),
    frame(data, 0, 1, Buffer.from("def")),
    frame(data, padded, 1, Buffer.from("\x01\0")),
    headers(1, endStream, [["x-trailer", "t"]]),
  ]);
  for (const byte of bytes) client.socket.write(Buffer.from([byte]));
  const answer = await client.next(data);
  assert.equal(String(answer.payload), "abcdef");
  const [request] = listener.requests;
  assert.equal(request?.headers.get("x-long"), "v".repeat(300));
  assert.equal(request?.headers.get("cookie"), "a=1; b=2");
  assert.equal(request?.headers.get("x-trailer"), undefined);
});

test("streams beyond the limit are refused, and later ones are not", async () => {
  await using listener = await TestListener.start(undefined, { maxConcurrentStreams: 3 });
  using client = await RawClient.connect(listener.port);
  client.send(headers(1), headers(3), headers(5), headers(7), frame(data, endStream, 7, Buffer.alloc(10)));
  assert.equal(await client.reset(7), refusedStream);
  client.send(frame(data, endStream, 3), headers(9, endStream));
  await client.next(frameType.headers, 9);
});

test("a header list beyond the limit is passed on as such, a block far beyond it is not", async () => {
  await using listener = await TestListener.start(
    ({ stream, headers: list }) => {
      stream.headers(encodeHeaders([[":status", list.tooLarge ? "431" : "200"]]), true);
    },
    { maxHeaderListBytes: 1000 },
  );
  using client = await RawClient.connect(listener.port);
  client.send(headers(1, endStream, [...postHeaders, ["x", "y".repeat(1000)]]), headers(3, endStream));
  assert.deepEqual((await client.next(frameType.headers, 1)).payload, encodeHeaders([[":status", "431"]]));
  assert.deepEqual((await client.next(frameType.headers, 3)).payload, encodeHeaders([[":status", "200"]]));
  client.send(frame(frameType.headers, 0, 5), frame(continuation, 0, 5, Buffer.alloc(4001)));
  assert.equal(await client.goaway(), enhanceYourCalm);
});

test("a reset is heard of once, and frames on their way to a stream that ended early do no harm", async () => {
  await using listener = await TestListener.start();
  using client = await RawClient.connect(listener.port);
  client.send(
    headers(1),
    frame(rstStream, 0, 1, uint32(errorCode.cancel)),
    frame(rstStream, 0, 1, uint32(errorCode.cancel)),
  );
  await client.settled();
  const [request] = listener.requests;
  assert.equal((await request?.abortedWith.promise)?.code, "cancelled");
  request?.stream.headers(encodeHeaders([[":status", "200"]]), true);
  client.send(headers(3));
  await client.settled();
  listener.requests[1]?.stream.headers(encodeHeaders([[":status", "200"]]), true);
  assert.equal(await client.reset(3), errorCode.noError);
  client.send(
    frame(data, 0, 3, Buffer.alloc(100)),
    frame(windowUpdate, 0, 3, uint32(5)),
    headers(3, endStream, [["x", "y"]]),
  );
  await client.settled();
  assert.deepEqual(client.frames, []);
});
