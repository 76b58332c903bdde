import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { makeKeyPair } from "./support/key-pair.ts";
import { type Outcome, run, serve } from "./support/programs.ts";

test("`stillage health` asks by every kind of listener", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const { certificate, key } = await makeKeyPair(cwd, "server");
  const socket = join(cwd, "socket");
  const places = ["127.0.0.1:0", `address=127.0.0.1:0,cert=${certificate},key=${key}`, `unix:${socket}`];
  const listen = places.flatMap((place) => ["--listen", place]);
  await using server = await serve("stillage", ["serve", "store", ...listen], { cwd });
  const [plain, tls] = server.listeners.map(({ address }) => address);
  const ways = [[`http://${plain}`], [`${plain}`], [`https://${tls}`, "--ca", certificate], [`unix:${socket}`]];
  const health = (...args: string[]) => run("stillage", ["health", ...args], { cwd });
  for (const outcome of await Promise.all(ways.map((way) => health(...way)))) {
    assert.deepEqual(outcome, { status: 0, stdout: "ready\n", stderr: "" });
  }
  const wrong = [[`https://${tls}`], [`https://${plain}`], [`${tls}`]];
  const [distrusted, ...crossed] = (await Promise.all(wrong.map((way) => health(...way)))) as [Outcome, ...Outcome[]];
  assert.equal(distrusted.status, 1);
  assert.match(distrusted.stderr, /does not answer: .*certificate/);
  assert.deepEqual(
    crossed.map(({ status }) => status),
    [1, 1],
  );
  assert.match(crossed[0]?.stderr ?? "", /does not answer: there is no TLS there; ask http\n/);
  assert.match(crossed[1]?.stderr ?? "", /does not answer: .*; if TLS is there, ask https\n/);
});

test("what is not ready or does not answer has exit status 1, and what is no address 2", async () => {
  await using folder = await newFolder();
  await using starting = createServer((_, response) => response.writeHead(503).end()).listen(0, "127.0.0.1");
  await new Promise((resolve) => starting.once("listening", resolve));
  const { port } = starting.address() as { port: number };
  const cases = [
    [1, `http://127.0.0.1:${port}`, /is not ready: it answers 503/],
    [1, `unix:${folder.path}/none`, /does not answer: .*ENOENT/],
    [2, "ftp://127.0.0.1", /a URL with http or https/],
    [2, "nowhere", /HOST:PORT, .* goes here/],
  ] as const;
  for (const [expected, url, said] of cases) {
    const { status, stderr } = await run("stillage", ["health", url], { cwd: folder.path });
    assert.equal(status, expected);
    assert.match(stderr, said);
  }
});
