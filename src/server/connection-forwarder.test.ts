import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../base/log.ts";
import type { Peer } from "../base/peer.ts";
import { ConnectionForwarder } from "./connection-forwarder.ts";
import { listenOn } from "./listen-address.ts";

const peer: Peer = {
  address: "unix",
  host: "unix",
  network: "unix",
  push: true,
  local: true,
  tls: false,
  certificate: undefined,
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "forwarder-"));
});
after(() => rm(folder, { recursive: true }));

/** Hands one connection on to `path`. Tells how often nobody was said to listen, and what was logged, once the client's connection has ended. */
async function forwardTo(path: string): Promise<{ gone: number; warnings: number }> {
  let [gone, warnings] = [0, 0];
  const log = { ...silentLog, warn: () => void warnings++ };
  const forwarder = new ConnectionForwarder(
    () => path,
    () => void gone++,
    log,
  );
  const server = createServer((socket: Socket) => forwarder.accept(socket, peer));
  const address = join(folder, "clients.socket");
  await listenOn(server, { address: `unix:${address}` });
  const client = connect(address);
  client.resume().on("error", () => {});
  await once(client, "close");
  await new Promise((resolve) => server.close(resolve));
  return { gone, warnings };
}

test("where nobody listens, the other process is gone", async () => {
  const file = join(folder, "no-socket");
  await writeFile(file, "");
  for (const path of [join(folder, "absent.socket"), file]) {
    assert.deepEqual(await forwardTo(path), { gone: 1, warnings: 0 });
  }
});

test("any other failure ends one connection, and nothing else", async () => {
  const below = join(folder, "a-file");
  await writeFile(below, "");
  assert.deepEqual(await forwardTo(join(below, "x.socket")), { gone: 0, warnings: 1 }); // ENOTDIR
});
