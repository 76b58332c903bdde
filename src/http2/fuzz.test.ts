import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { TestListener } from "./connection.fixture.ts";
import { clientPreface, flag, frameType } from "./protocol.ts";
import { frame, headers, RawClient, settings, uint32 } from "./raw-client.fixture.ts";

/** SplitMix32: the same numbers on every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % below;
  };
}

/** A conversation that is in order. */
function conversation(): Buffer[] {
  const { data, windowUpdate, ping, rstStream, priority } = frameType;
  return [
    settings([4, 1000], [5, 20_000]),
    frame(frameType.settings, flag.ack, 0),
    headers(1),
    frame(data, 0, 1, Buffer.alloc(300, 1)),
    frame(ping, 0, 0, Buffer.alloc(8)),
    frame(data, flag.padded | flag.endStream, 1, Buffer.concat([Buffer.from([9]), Buffer.alloc(40)])),
    frame(windowUpdate, 0, 0, uint32(1000)),
    frame(frameType.headers, flag.priority, 3, Buffer.from("000000000f8386", "hex")),
    frame(frameType.continuation, flag.endHeaders, 3, Buffer.from("84418cf1e3c2e5f23a6ba0ab90f4ff", "hex")),
    frame(windowUpdate, 0, 3, uint32(70_000)),
    frame(data, 0, 3, Buffer.alloc(900, 2)),
    headers(5, flag.endStream),
    frame(priority, 0, 3, uint32(1, 0).subarray(0, 5)),
    frame(rstStream, 0, 5, uint32(8)),
    headers(3, flag.endStream, [["x-trailer", "1"]]),
  ];
}

test("a server survives all kinds of garbage, and forgets who sent it", async () => {
  await using listener = await TestListener.start();
  const random = randomNumbers(20_261_121);
  for (let round = 0; round < 600; round++) {
    const frames = conversation();
    const kind = round % 4;
    let bytes: Buffer;
    if (kind === 0) {
      // Frames out of order, some lost, some twice.
      bytes = Buffer.concat(Array.from({ length: 30 }, () => frames[random(frames.length)] as Buffer));
    } else {
      bytes = Buffer.concat(frames);
      // A few bytes changed, or much of the rest garbage.
      const changes = kind === 3 ? 400 : 1 + random(6);
      for (let i = 0; i < changes; i++) bytes[random(bytes.length)] = kind === 1 ? 1 << random(8) : random(256);
    }
    using client = await RawClient.connect(listener.port, clientPreface);
    client.socket.write(bytes.subarray(0, random(bytes.length)));
    client.socket.end(bytes);
    await client.ended();
    if (!client.socket.closed) {
      client.socket.destroy();
      await once(client.socket, "close");
    }
  }
  using sane = await RawClient.connect(listener.port);
  sane.send(headers(1, flag.endStream));
  await sane.next(frameType.headers, 1);
  // Every connection but this one is over, and every request of theirs is answered or aborted.
  await listener.over(600);
  for (const error of listener.errors) {
    assert.ok(error === undefined || error.name === "ConnectionError" || "code" in error, error?.stack ?? "");
  }
  for (const connection of listener.connections.slice(0, 600)) assert.equal(connection.queued, 0);
});
