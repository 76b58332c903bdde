import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import { grpcStatus } from "../status.ts";
import { type ChannelOptions, connect } from "./channel.ts";
import { ConnectionError } from "./connection-error.ts";
import { RpcError } from "./rpc-error.ts";

/** An empty SETTINGS frame (RFC 9113 section 6.5). */
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/** What a call to a server ends with. */
async function ending(server: Server, options: ChannelOptions): Promise<RpcError> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const channel = connect(`grpc://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
  try {
    await channel.unary("test.Echo/Same", new Uint8Array(1));
  } catch (error) {
    assert(error instanceof RpcError);
    return error;
  } finally {
    channel.destroy();
    server.close();
  }
  assert.fail("it was answered");
}

const causeOf = ({ cause }: RpcError): string =>
  cause instanceof ConnectionError ? `${cause.stage} ${cause.failure}` : "none";

test("a server that accepts and says nothing does not count as connected", async () => {
  const error = await ending(createServer(), { connectMs: 30 });
  assert.deepEqual([error.code, causeOf(error)], [grpcStatus.unavailable, "settings silent"]);
});

test("a server that says no more than its first word is found out by a PING", async () => {
  const server = createServer((socket) =>
    socket
      .on("error", () => {})
      .resume()
      .write(settings),
  );
  const error = await ending(server, { pingAfterMs: 20, silentMs: 60 });
  assert.deepEqual([error.code, causeOf(error)], [grpcStatus.unavailable, "open silent"]);
});

test("a server that answers PINGs and never the call is given up by the call", async () => {
  const server = createHttp2Server();
  let pings = 0;
  server.on("session", (session) => session.on("ping", () => pings++));
  server.on("stream", (stream) => stream.on("error", () => {}).resume());
  const options = { pingAfterMs: 20, silentMs: 5000, stallMs: 200 };
  const error = await ending(server as unknown as Server, options);
  assert.deepEqual([error.code, causeOf(error)], [grpcStatus.deadlineExceeded, "none"]);
  // The time between them doubles: 20, 40, 80 …, and as much again for what is rounded.
  assert.ok(pings >= 1 && pings <= 6, `${pings} PINGs`);
});
