import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { makeKeyPair } from "./support/key-pair.ts";
import { run, serve } from "./support/programs.ts";

test("`stillage health` asks by every kind of listener", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const { certificate, key } = await makeKeyPair(cwd, "server");
  const socket = join(cwd, "socket");
  const places = ["127.0.0.1:0", `address=127.0.0.1:0,cert=${certificate},key=${key}`, `unix:${socket}`];
  const listen = places.flatMap((place) => ["--listen", place]);
  await using server = await serve("stillage", ["serve", "store", ...listen], { cwd });
  const [plain, tls] = server.listeners.map(({ address }) => address);
  const ways = [[`http://${plain}`], [`https://${tls}`, "--ca", certificate], [`unix:${socket}`]];
  for (const way of ways) {
    const { status, stdout, stderr } = await run("stillage", ["health", ...way], { cwd });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "ready\n", stderr: "" });
  }
  const distrusted = await run("stillage", ["health", `https://${tls}`], { cwd });
  assert.equal(distrusted.status, 1);
  assert.match(distrusted.stderr, /does not answer: .*certificate/);
});

test("what is not ready, does not answer or is no server has exit status 1", async () => {
  await using folder = await newFolder();
  await using starting = createServer((_, response) => response.writeHead(503).end()).listen(0, "127.0.0.1");
  await new Promise((resolve) => starting.once("listening", resolve));
  const { port } = starting.address() as { port: number };
  const cases = [
    [`http://127.0.0.1:${port}`, /is not ready: it answers 503/],
    [`unix:${folder.path}/none`, /does not answer: .*ENOENT/],
    ["ftp://127.0.0.1", /a URL with http, https or unix/],
    ["nowhere", /does not answer: Invalid URL/],
  ] as const;
  for (const [url, said] of cases) {
    const { status, stderr } = await run("stillage", ["health", url], { cwd: folder.path });
    assert.equal(status, 1);
    assert.match(stderr, said);
  }
});
