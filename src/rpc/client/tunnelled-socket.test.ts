import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { TunnelledSocket } from "./tunnelled-socket.ts";

/** A connection to a peer that does `play` with it, and the socket below. */
async function connectionTo(play: (peer: Socket) => void): Promise<[TunnelledSocket, Socket]> {
  const server = createServer((peer) => {
    server.close();
    play(peer.on("error", () => {}));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  return [new TunnelledSocket(async () => socket), socket];
}

test("what came before the end can be read when the connection below is closed already", async () => {
  const sent = Buffer.alloc(10_000, "content");
  const [tunnelled, below] = await connectionTo((peer) => peer.end(sent));
  await once(below, "close");
  assert.deepEqual(await buffer(tunnelled), sent);
  if (!tunnelled.closed) await once(tunnelled, "close");
});

test("a connection that breaks is no end of what is read", async () => {
  const [tunnelled] = await connectionTo((peer) => peer.write("half", () => peer.resetAndDestroy()));
  await assert.rejects(buffer(tunnelled), { code: "ECONNRESET" });
});
