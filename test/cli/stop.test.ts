import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { ByteStream } from "../../src/gen/google/bytestream/bytestream_pb.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { connect } from "../../src/rpc/client/channel.ts";
import { client } from "../../src/rpc/client/typed.ts";
import { newFolder } from "./support/folder.ts";
import { type RunningProgram, serve } from "./support/programs.ts";

const halves = [Buffer.from("first half, "), Buffer.from("second half")] as const;

/** A running upload: its first half has arrived. */
async function beginUpload(server: RunningProgram) {
  const channel = connect(`http://${server.listeners[0]?.address}`);
  const blob = Buffer.concat(halves);
  const hash = createHash("sha256").update(blob).digest("hex");
  const resourceName = `uploads/${randomUUID()}/blobs/${hash}/${blob.length}`;
  const write = client(channel, ByteStream).write();
  await write.send({ resourceName, data: halves[0] });
  // The server takes what comes over one connection in order: with this answer it has the upload.
  await client(channel, Health).check({});
  return {
    async finish(): Promise<bigint | undefined> {
      const writeOffset = BigInt(halves[0].length);
      await write.send({ resourceName, writeOffset, data: halves[1], finishWrite: true });
      write.halfClose();
      return (await write.receive())?.committedSize;
    },
    failure: () => write.receive().then(() => assert.fail("the upload went on"), String),
    [Symbol.dispose]: () => channel.destroy(),
  };
}

test("a running call ends well within the grace time", async () => {
  await using folder = await newFolder();
  const args = ["serve", "store", "--listen", "127.0.0.1:0", "--grace", "1h"];
  await using server = await serve("stillage", args, { cwd: folder.path });
  using upload = await beginUpload(server);
  server.signal("SIGTERM");
  await server.logged("stopping");
  assert.equal(await upload.finish(), BigInt(halves[0].length + halves[1].length));
  assert.equal((await server.ended()).status, 0);
});

test("what still runs after the grace time is cut", async () => {
  await using folder = await newFolder();
  const args = ["serve", "store", "--listen", "127.0.0.1:0", "--grace", "10ms"];
  await using server = await serve("stillage", args, { cwd: folder.path });
  using upload = await beginUpload(server);
  server.signal("SIGTERM");
  await upload.failure();
  assert.equal((await server.ended()).status, 0);
});

test("a second signal does not wait for what still runs", async () => {
  await using folder = await newFolder();
  const args = ["serve", "store", "--listen", "127.0.0.1:0", "--grace", "1h"];
  await using server = await serve("stillage", args, { cwd: folder.path });
  using upload = await beginUpload(server);
  server.signal("SIGTERM");
  await server.logged("stopping");
  server.signal("SIGTERM");
  await upload.failure();
  assert.equal((await server.ended()).status, 1);
});

test("connections over HTTP/1.1 that wait, or are stuck within a request, do not keep it", async () => {
  await using folder = await newFolder();
  const args = ["serve", "store", "--listen", "127.0.0.1:0", "--grace", "10ms"];
  await using server = await serve("stillage", args, { cwd: folder.path });
  const port = Number(server.listeners[0]?.address.split(":")[1]);
  const stuck = connectTcp(port, "127.0.0.1");
  stuck.write("GET /healthz HTTP/1.1\r\nHost: it\r\n");
  await once(stuck, "connect");
  const waits = connectTcp(port, "127.0.0.1");
  waits.write("GET /healthz HTTP/1.1\r\nHost: it\r\n\r\n");
  await once(waits, "data");
  server.signal("SIGTERM");
  const { status } = await server.ended();
  waits.destroy();
  stuck.destroy();
  assert.equal(status, 0);
});
