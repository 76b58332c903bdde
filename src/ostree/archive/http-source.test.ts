import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { startConnectProxy } from "../../base/connect-proxy.fixture.ts";
import { httpSource } from "./http-source.ts";
import { gather } from "./put-foreign.ts";

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  let connections = 0;
  server.on("connection", () => connections++);
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

test("gets files below the URL, over connections that are kept, with what is sent along", async () => {
  const asked: (string | undefined)[] = [];
  await using web = await serve((request, response) => {
    asked.push(request.url, request.headers.authorization);
    response.end("content");
  });
  const { host } = new URL(web.url);
  for (const base of [`http://me:pass%20word@${host}/a/repo`, `http://me:pass%20word@${host}/a/repo/`]) {
    const source = httpSource(base);
    for (let i = 0; i < 3; i++) {
      const content = await source.get("summary", 7);
      assert.equal(content && String(await gather(content, 7)), "content");
    }
  }
  assert.deepEqual(new Set(asked), new Set(["/a/repo/summary", `Basic ${btoa("me:pass word")}`]));
  assert.equal(web.connections(), 2);
});

test("asks a proxy for the whole URL, and says what that refuses", async () => {
  await using web = await serve((request, response) => {
    const { host, authorization, "proxy-authorization": leaked } = request.headers;
    response.end([request.url, `http://${host}` === web.url, authorization, leaked].join());
  });
  await using started = await startConnectProxy({ credentials: "me:pass" });
  const [host = "", port] = started.address.split(":");
  const proxy = { host, port: Number(port), credentials: "me:pass", shown: "http://proxy" };
  const source = httpSource(web.url.replace("//", "//them:word@"), { proxy });
  const content = await source.get("a/summary", 100);
  assert.equal(content && String(await gather(content, 100)), `/a/summary,true,Basic ${btoa("them:word")},`);
  assert.deepEqual(started.asked, [`GET ${web.url}/a/summary`]);
  const stranger = httpSource(web.url, { proxy: { ...proxy, credentials: undefined } });
  await assert.rejects(stranger.get("summary", 100), { code: "unauthenticated", hint: /USER:PASSWORD/ });
  const secure = httpSource(web.url.replace("http:", "https:"), { proxy: { ...proxy, credentials: undefined } });
  await assert.rejects(secure.get("summary", 100), { code: "unauthenticated", message: /proxy http:\/\/proxy .*407/ });
});

test("says what an answer means", async () => {
  await using web = await serve((request, response) => {
    const status = Number(request.url?.slice(1));
    if (status >= 100) response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end("text");
    else if (request.url === "/large") response.end(Buffer.alloc(1000));
    else if (request.url === "/endless") response.write(Buffer.alloc(1000));
    else if (request.url === "/cut")
      response.writeHead(200, { "content-length": 10 }).write("half", () => response.destroy());
    else if (request.url === "/hang-up") response.destroy();
  });
  const source = httpSource(web.url, { silenceMs: 200 });
  const got = async (path: string) => {
    const content = await source.get(path, 100);
    return content && gather(content, 1000);
  };
  for (const status of [403, 404, 410]) assert.equal(await got(`${status}`), undefined);
  for (const path of ["408", "429", "500", "503", "cut", "hang-up", "silence"]) {
    await assert.rejects(got(path), { code: "unavailable" }, path);
  }
  await assert.rejects(got("401"), { code: "unauthenticated" });
  await assert.rejects(got("302"), { code: "invalid", message: /answers 302/ });
  await assert.rejects(got("large"), { code: "invalid", message: /larger than 100 bytes/ });
  await assert.rejects(got("endless"), { code: "invalid", message: /larger than 100 bytes/ });
  await assert.rejects(httpSource("http://127.0.0.1:1/").get("x", 1), { code: "unavailable" });
});

test("takes URLs of repositories alone", () => {
  for (const url of ["", "example.org", "ftp://example.org/", "file:///repo", "http://example.org/?a=b"]) {
    assert.throws(() => httpSource(url), { code: "invalid" }, url);
  }
});

test("what is stopped while a proxy keeps it waiting ends at once", { timeout: 5000 }, async () => {
  await using mute = await startConnectProxy({ silent: true });
  const [host = "", port] = mute.address.split(":");
  const stop = new AbortController();
  const proxy = { host, port: Number(port), credentials: undefined, shown: "http://proxy" };
  const source = httpSource("https://host.invalid/repo", { proxy, signal: stop.signal });
  const answer = assert.rejects(source.get("summary", 100), { code: "cancelled" });
  while (mute.asked.length === 0) await setImmediate();
  stop.abort();
  await answer;
});
