import assert from "node:assert/strict";
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openEndpoint } from "../conformance/support/endpoint.ts";
import { httpGet } from "../conformance/support/http.ts";
import { newFolder } from "./support/folder.ts";
import { run, serve } from "./support/programs.ts";

// One port and one store, several threads. The kernel spreads connections by chance: of thirty, one in a thousand million runs puts all on one thread.
const connections = 30;

test("workers share a port, count together, and write one access log of whole lines", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const args = ["--workers", "2", "--listen", "127.0.0.1:0", "--listen", "unix:socket", "--access-log", "log"];
  await using server = await serve("stillage", ["serve", "store", ...args], { cwd });
  const [tcp = "", unix = ""] = server.listeners.map(({ address }) => address);
  const endpoints = Array.from({ length: connections }, () => openEndpoint(`grpc://${tcp}`));
  await Promise.all(endpoints.map(({ capabilities }) => capabilities.getCapabilities({})));
  const metric = async (name: string): Promise<number> => {
    const lines = (await read(`http://${tcp}`, "/metrics")).split("\n");
    return Number(
      lines
        .find((line) => line.startsWith(name))
        ?.split(" ")
        .at(-1),
    );
  };
  // Whichever worker is asked, the answer is for both.
  for (let i = 0; i < 6; i++) {
    assert.equal(await metric("stillage_rpc_connections"), connections);
    assert.equal(await metric("stillage_rpc_calls_total{"), connections);
  }
  assert.equal(JSON.parse(await read(`http://${tcp}`, "/status")).workers, 2);
  assert.equal(await metric("stillage_store_blobs"), 0);
  assert.equal(await read(unix, "/readyz"), "ready\n");

  await rename(join(cwd, "log"), join(cwd, "log.1"));
  server.signal("SIGHUP");
  await server.logged("certificates and rights reloaded");
  await Promise.all(endpoints.map(({ capabilities }) => capabilities.getCapabilities({})));
  for (const { channel } of endpoints) await channel.close();
  server.signal("SIGTERM");
  assert.equal((await server.ended()).status, 0);
  for (const [file, calls] of [
    ["log.1", connections],
    ["log", connections],
  ] as const) {
    const lines = (await readFile(join(cwd, file), "utf8")).trimEnd().split("\n");
    const records = lines.map((line) => JSON.parse(line) as { readonly call: string });
    assert.equal(records.filter(({ call }) => call.endsWith("/GetCapabilities")).length, calls, file);
  }
});

test("workers do not share a port with another server, and say what keeps them from starting", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using server = await serve("stillage", ["serve", "store", "--workers=2", "--listen", "127.0.0.1:0"], { cwd });
  const { address = "" } = server.listeners[0] ?? {};
  const second = await run("stillage", ["serve", "other", "--workers=2", "--listen", address], { cwd });
  assert.equal(second.status, 1);
  assert.match(second.stderr, /cannot listen on \S+: another program listens there/);
  const noKey = ["--listen", "address=127.0.0.1:0,cert=no.crt,key=no.key"];
  const third = await run("stillage", ["serve", "other", "--workers=2", ...noKey], { cwd });
  assert.equal(third.status, 1);
  assert.match(third.stderr, /^stillage: [^\n]*no\.crt[^\n]*\n/);
});

async function read(url: string, path: string): Promise<string> {
  return (await httpGet(url, path, "HTTP/1.1")).body;
}
