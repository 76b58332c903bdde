import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sha256 } from "../base/digest-function.ts";
import { type HostPattern, parseHostPattern } from "../base/host-pattern.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { download } from "./download.ts";
import { systemResolve } from "./host-rules.ts";
import { httpGet } from "./http-get.ts";
import { parseOriginUrl } from "./origin-url.ts";
import { whileSeconds } from "./pace.ts";
import { startWebServer, type WebServer } from "./web-server.fixture.ts";

let web: WebServer;
before(async () => {
  web = await startWebServer();
});
after(() => web[Symbol.asyncDispose]());

describe("a download", () => {
  it("that falls silent within the content is broken off, and nothing of it stays", async () => {
    web.on("/half", (_, response) => response.writeHead(200, { "content-length": 100 }).write("half"));
    const rules = { allow: [parseHostPattern("127.0.0.1") as HostPattern], deny: [], resolve: systemResolve };
    const { signal } = new AbortController();
    const source = await httpGet(parseOriginUrl(`${web.url}/half`), new Map(), signal, { rules, userAgent: "x" });
    const blobs = new MemoryStore();
    let ended = 0;
    const ticks = (tick: () => void): Disposable => {
      setImmediate(() => Array.from({ length: whileSeconds }, tick));
      return { [Symbol.dispose]: () => void ended++ };
    };
    const options = { blobs, staging: blobs, function: sha256, integrity: undefined, maxBytes: 1000, signal, ticks };
    await assert.rejects(download(source, options), { code: "deadline" });
    assert.deepEqual([blobs.usage().bytes, ended], [0, 1]);
  });
});
