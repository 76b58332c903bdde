import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { grpcStatus } from "../status.ts";
import { type Channel, connect } from "./channel.ts";

const server = createServer();
let channel: Channel;

before(async () => {
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const path = headers[":path"] ?? "";
    if (path === "/silent") return;
    if (path === "/cut") {
      stream.respond({ ":status": 200 });
      stream.write("half", () => stream.session?.destroy());
      return;
    }
    stream.respond({ ":status": path === "/missing" ? 404 : 200, "content-type": "Text/Plain; charset=utf-8" });
    stream.end(`${headers[":method"]} ${path} ${headers.authorization}`);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  channel = connect(`http://127.0.0.1:${port}`, { headers: { authorization: "Bearer x" } });
});

after(() => {
  channel.destroy();
  server.close();
});

const maxBytes = 1000;

test("a GET has the channel's headers, and any status is an answer", async () => {
  const { status, type, body } = await channel.get("/a?b=c", { maxBytes });
  assert.deepEqual([status, type, Buffer.from(body).toString()], [200, "text/plain", "GET /a?b=c Bearer x"]);
  assert.equal((await channel.get("/missing", { maxBytes })).status, 404);
});

test("what is too long, late, cut off or not wanted any more is an error", async () => {
  await assert.rejects(channel.get("/a", { maxBytes: 3 }), { code: grpcStatus.internal });
  await assert.rejects(channel.get("/silent", { maxBytes, timeoutMs: 1 }), { code: grpcStatus.deadlineExceeded });
  const stop = new AbortController();
  const stopped = channel.get("/silent", { maxBytes, signal: stop.signal });
  stop.abort();
  await assert.rejects(stopped, { code: grpcStatus.cancelled });
  await assert.rejects(channel.get("/cut", { maxBytes }), { code: grpcStatus.unavailable });
});
