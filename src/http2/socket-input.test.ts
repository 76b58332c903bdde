import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { takeInput } from "./socket-input.ts";

/** A connection: what the server accepted, and the client's end. */
async function pair(path?: string): Promise<{ server: Socket; client: Socket; end: () => Promise<void> }> {
  const listener = createServer({ pauseOnConnect: true });
  listener.listen(path ?? { port: 0, host: "127.0.0.1" });
  await once(listener, "listening");
  const accepted = once(listener, "connection") as Promise<[Socket]>;
  const client = connect(
    path === undefined ? { port: (listener.address() as AddressInfo).port, host: "127.0.0.1" } : { path },
  );
  const [server] = await accepted;
  const end = async (): Promise<void> => {
    client.destroy();
    listener.close();
    // Only once the accepted socket is closed for its server as well.
    await once(listener, "close");
  };
  return { server, client, end };
}

for (const kind of ["TCP", "Unix"]) {
  test(`a ${kind} socket is read through one buffer, and both of its faces close together`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "socket-"));
    try {
      const { server, client, end } = await pair(kind === "Unix" ? join(folder, "s") : undefined);
      const buffers = new Set<ArrayBufferLike>();
      let text = "";
      const done = Promise.withResolvers<void>();
      const socket = takeInput(server, (bytes, length) => {
        buffers.add(bytes.buffer);
        text += bytes.toString("latin1", 0, length);
        if (text.endsWith("!")) done.resolve();
      });
      assert.notEqual(socket, server);
      client.write("one");
      socket.resume();
      client.write("x".repeat(1_000_000));
      client.write("!");
      await done.promise;
      assert.equal(text.length, 1_000_004);
      assert.equal(buffers.size, 1);
      socket.write("back");
      assert.equal(String((await once(client, "data"))[0]), "back");
      socket.destroy();
      await once(server, "close");
      await end();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test("the end of the socket that was accepted ends the one that reads", async () => {
  const { server, end } = await pair();
  const socket = takeInput(server, () => {});
  socket.resume();
  server.destroy();
  await once(socket, "close");
  await end();
});

test("other sockets are read by events", async () => {
  const { server, client, end } = await pair();
  class Other {}
  Object.defineProperty(server, "constructor", { value: Other });
  const got = Promise.withResolvers<string>();
  const socket = takeInput(server, (bytes, length) => got.resolve(bytes.toString("latin1", 0, length)));
  assert.equal(socket, server);
  client.write("hello");
  socket.resume();
  assert.equal(await got.promise, "hello");
  await end();
});
