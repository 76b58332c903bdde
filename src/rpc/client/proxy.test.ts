import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { startConnectProxy } from "../../base/connect-proxy.fixture.ts";
import type { HttpProxy } from "../../base/proxy.ts";
import { grpcStatus } from "../status.ts";
import { type Channel, connect } from "./channel.ts";
import { ConnectionError } from "./connection-error.ts";
import { RpcError } from "./rpc-error.ts";

// TLS through a proxy is in tls.test.ts.

/** Gives back what it is sent. */
const server = createServer();
server.on("stream", (stream: ServerHttp2Stream, headers) => {
  if (headers[":path"] === "/page") {
    stream.respond({ ":status": 404, "content-type": "text/html" });
    return void stream.end("<html>");
  }
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.on("error", () => {});
  stream.pipe(stream);
});
let port: number;

before(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  ({ port } = server.address() as AddressInfo);
});
after(() => server.close());

function proxyAt(address: string, credentials?: string): HttpProxy {
  const [host = "", ofProxy] = address.split(":");
  return { host, port: Number(ofProxy), credentials, shown: `http://${address}` };
}

const call = (channel: Channel, bytes: Uint8Array) => channel.unary("test.Echo/Same", bytes);

/** What a call fails with. */
async function failure(channel: Channel): Promise<RpcError & { cause: ConnectionError }> {
  const error: unknown = await call(channel, Uint8Array.of(1)).catch((caught: unknown) => caught);
  channel.destroy();
  assert.ok(error instanceof RpcError && error.cause instanceof ConnectionError, String(error));
  assert.equal(error.code, grpcStatus.unavailable);
  return error as RpcError & { cause: ConnectionError };
}

test("calls, large ones and many at once, go through one tunnel", async () => {
  await using proxy = await startConnectProxy({ credentials: "me:pass" });
  const options = { proxy: proxyAt(proxy.address, "me:pass"), maxMessageBytes: 8 << 20, connectMs: 5000 };
  const channel = connect(`http://127.0.0.1:${port}`, options);
  const large = Buffer.alloc(3 << 20, "content");
  const all = await Promise.all([large, Buffer.from("small"), large].map((each) => call(channel, each)));
  assert.deepEqual(
    all.map((each) => each.length),
    [large.length, 5, large.length],
  );
  assert.ok(large.equals(all[2] ?? Buffer.alloc(0)));
  assert.deepEqual(proxy.asked, [`CONNECT 127.0.0.1:${port}`]);
  await assert.rejects(channel.unary("page", large), { httpStatus: 404 });
  proxy.cut();
  const again = () => call(channel, Buffer.from("again"));
  // The first one may still go where there is nothing any more.
  assert.equal((await again().catch(again)).length, 5, "another tunnel");
  await channel.close();
});

test("what is wrong with the proxy is said of it", async () => {
  await using closed = await startConnectProxy({ credentials: "me:pass" });
  await using refusing = await startConnectProxy({ refuses: 403 });
  await using silent = await startConnectProxy({ silent: true });
  const url = `http://127.0.0.1:${port}`;
  const failures = await Promise.all(
    [
      connect(url, { proxy: proxyAt(closed.address, "me:wrong") }),
      connect(url, { proxy: proxyAt(refusing.address) }),
      connect(url, { proxy: proxyAt("127.0.0.1:1") }),
      connect(url, { proxy: proxyAt(silent.address), connectMs: 200 }),
    ].map(failure),
  );
  const expected = [
    /http:\S+ does not connect us to 127\S+: 407/,
    /: 403/,
    /127.0.0.1:1 cannot be reached: connect ECONN/,
    /proxy/,
  ];
  for (const [i, each] of expected.entries()) assert.match(failures[i]?.message ?? "", each);
  assert.ok(!failures.some(({ message }) => message.includes("wrong")), "no secret");
  assert.deepEqual(new Set(failures.map(({ cause }) => cause.stage)), new Set(["connect"]));
});

test("a channel that is given up while the proxy keeps it waiting ends at once", async () => {
  await using silent = await startConnectProxy({ silent: true });
  const channel = connect(`http://127.0.0.1:${port}`, { proxy: proxyAt(silent.address) });
  const failed = failure(channel);
  channel.destroy();
  assert.match((await failed).message, /by the proxy \S+ was given up/);
});
