import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { openCallers } from "../../access/granted-caller.ts";
import { silentLog } from "../../base/log.ts";
import { RequestIds } from "../../base/request-ids.ts";
import { newPeer } from "./asking.fixture.ts";
import { Http1 } from "./http1.ts";

test("headers that do not come to an end are answered with 408, and the connection ends", async () => {
  const handler = () => Promise.resolve({ status: 200, headers: {} });
  const http1 = new Http1(handler, () => () => openCallers.pushing, new RequestIds(), silentLog, 1);
  const server = createServer((socket) => http1.accept(socket, newPeer(), new Uint8Array(0)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    client.write("GET / HTTP/1.1\r\nhost: x\r\n");
    assert.match(await text(client), /^HTTP\/1\.1 408 /);
  } finally {
    server.close();
    await http1.close(0);
  }
});
