import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { checkPortOwner, portOwners } from "./port-owner.ts";

const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const line = (local: string, state: string, user: number): string =>
  `   1: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${user}        0 11929704 1 0000000045da9369 100 0 0 10 0\n`;

test("owners are those of sockets that listen where 127.0.0.1 leads", () => {
  const table =
    heading +
    line("0100007F:9E8B", "0A", 1001) +
    line("00000000:9E8B", "0A", 1002) +
    line("0200007F:9E8B", "0A", 1003) +
    line("0100007F:9E8C", "0A", 1004) +
    line("0100007F:9E8B", "01", 1005) +
    line("00000000000000000000000000000000:9E8B", "0A", 1006) +
    line("00000000000000000000000001000000:9E8B", "0A", 1007);
  assert.deepEqual(portOwners(table, 0x9e8b), [1001, 1002, 1006]);
  assert.deepEqual(portOwners(table, 0x0400), []);
  assert.deepEqual(portOwners("", 0x9e8b), []);
});

test("a port of ours may be a pusher's", async () => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await checkPortOwner((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
});
