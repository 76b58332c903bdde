import assert from "node:assert/strict";
import { test } from "node:test";
import { echo, type Received, TestListener } from "./connection.fixture.ts";
import type { Http2Connection } from "./connection.ts";
import { clientPreface, errorCode, flag, frameType } from "./protocol.ts";
import { frame, headers, RawClient } from "./raw-client.fixture.ts";

const { data } = frameType;

test("draining lets requests end, refuses new ones, and closes", async () => {
  await using listener = await TestListener.start();
  using client = await RawClient.connect(listener.port);
  client.send(headers(1), frame(data, 0, 1, Buffer.from("be")));
  await client.settled();
  const [connection] = listener.connections as [Http2Connection];
  connection.drain();
  connection.drain();
  const { payload } = await client.next(frameType.goaway);
  assert.deepEqual([payload.readUInt32BE(0), payload.readUInt32BE(4)], [1, errorCode.noError]);
  client.send(headers(3, flag.endStream));
  assert.equal(await client.reset(3), errorCode.refusedStream);
  client.send(frame(data, flag.endStream, 1, Buffer.from("fore")));
  assert.equal(String((await client.next(data, 1)).payload), "before");
  await client.ended();
  await listener.over(1);
  assert.deepEqual(listener.errors, [undefined]);
});

test("draining an idle connection closes it, and a long response is sent to its end before", async () => {
  const body = Buffer.alloc(8 << 20, "x");
  await using listener = await TestListener.start(({ stream }) => {
    stream.write(Buffer.alloc(0), [body], body.length, {});
    stream.end();
  });
  using idle = await RawClient.connect(listener.port);
  await idle.settled();
  using busy = await RawClient.connect(
    listener.port,
    Buffer.concat([clientPreface, frame(frameType.settings, 0, 0, Buffer.from("00047fffffff", "hex"))]),
  );
  busy.send(frame(frameType.windowUpdate, 0, 0, Buffer.from("7ff00000", "hex")), headers(1, flag.endStream));
  await busy.next(data);
  for (const connection of listener.connections) connection.drain();
  await idle.ended();
  let received = 0;
  busy.frames.unshift({ type: data, flags: 0, stream: 1, payload: Buffer.alloc(0) });
  for (;;) {
    const { payload, flags } = await busy.next(data);
    received += payload.length;
    if ((flags & flag.endStream) !== 0) break;
  }
  // The first frame was taken before.
  assert.equal(received, body.length - 16_384);
  await busy.ended();
});

test("a client that does not finish its first words, or a header block, is cut off in time", async () => {
  const limits = { handshakeMs: 1000, headerBlockMs: 1000 };
  await using listener = await TestListener.start(echo, limits);
  const later = (ms: number): void => {
    listener.time += ms;
    for (const connection of listener.connections) connection.check();
  };
  using silent = await RawClient.connect(listener.port, clientPreface.subarray(0, 10));
  using noAck = await RawClient.connect(listener.port);
  using good = await RawClient.connect(listener.port);
  good.send(frame(frameType.settings, flag.ack, 0));
  await good.settled();
  await noAck.settled();
  later(500);
  await good.settled();
  await noAck.settled();
  later(1500);
  assert.equal(await noAck.goaway(), errorCode.settingsTimeout);
  assert.equal(await silent.goaway(), errorCode.settingsTimeout);
  later(1_000_000);
  await good.settled();
  good.send(frame(frameType.headers, 0, 1));
  while (!good.frames.some(({ type }) => type === frameType.goaway)) {
    // The header block has come once it is overdue.
    later(2000);
    await new Promise(setImmediate);
  }
  assert.equal(await good.goaway(), errorCode.enhanceYourCalm);
});

test("requests hear of a connection that ends, in whatever way", async () => {
  await using listener = await TestListener.start();
  const ways: ((client: RawClient, connection: Http2Connection) => void)[] = [
    (client) => client.socket.end(),
    (client) => client.socket.resetAndDestroy(),
    (client) => client.send(frame(data, 0, 0)),
    (_, connection) => connection.destroy(),
  ];
  for (const [i, end] of ways.entries()) {
    using client = await RawClient.connect(listener.port);
    client.send(headers(1));
    await client.settled();
    end(client, listener.connections[i] as Http2Connection);
    assert.equal((await (listener.requests[i] as Received).abortedWith.promise).code, "cancelled");
    await client.ended();
    await listener.over(i + 1);
  }
});
