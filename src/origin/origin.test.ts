import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { digestOf } from "../base/digest.ts";
import { sha1, sha256, sha512 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { type HostPattern, parseHostPattern } from "../base/host-pattern.ts";
import type { Log } from "../base/log.ts";
import { type MemoryTenant, memoryTenant } from "../cache/tenant.fixture.ts";
import { putBlob } from "../cache/tree.fixture.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { NewRef } from "../store/ref-store.ts";
import { made } from "./archive/archive.fixture.ts";
import { Origin, type OriginQuery, type OriginRules } from "./origin.ts";
import { startWebServer, type WebServer } from "./web-server.fixture.ts";

let web: WebServer;
let tenant: MemoryTenant;
let origins: Origin[] = [];
let logged: string[] = [];
let now = 1000;

before(async () => {
  web = await startWebServer();
});
after(() => web[Symbol.asyncDispose]());
beforeEach(() => {
  now = 1000;
  tenant = memoryTenant("main", () => now);
  web.requests.length = 0;
  logged = [];
});
afterEach(async () => {
  await Promise.all(origins.map((each) => each.close()));
  origins = [];
});

const keep = (fields: object, message: string) => void logged.push(JSON.stringify({ ...fields, message }));
const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
const rules: OriginRules = {
  mode: "any",
  allow: [parseHostPattern("127.0.0.1") as HostPattern],
  deny: [],
  maxBytes: 10_000_000,
  timeoutMs: 60_000,
};

function open(more: Partial<OriginRules> = {}): Origin {
  const origin = new Origin({
    rules: { ...rules, ...more },
    staging: () => tenant.blobs,
    userAgent: "stillage/test",
    log,
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
  });
  origins.push(origin);
  return origin;
}

type Ask = Partial<Omit<OriginQuery, "qualifiers">> & { readonly qualifiers?: Record<string, string> };

function query(paths: readonly string[], { qualifiers = {}, ...more }: Ask = {}): OriginQuery {
  return {
    kind: "blob",
    uris: paths.map((path) => (path.startsWith("/") ? `${web.url}${path}` : path)),
    qualifiers: Object.entries(qualifiers).map(([name, value]) => ({ name, value })),
    function: undefined,
    oldest: undefined,
    signal: new AbortController().signal,
    timeoutMs: undefined,
    ...more,
  };
}

const sri = (content: string | Buffer, name = "sha256") =>
  `${name}-${createHash(name).update(content).digest("base64")}`;
const hashOf = (content: string | Buffer) => digestOf(sha256, Buffer.from(content)).hash;
const fetch = (origin: Origin, paths: readonly string[], more?: Ask) => origin.fetch(tenant, query(paths, more));
const code = (expected: string) => (error: unknown) => error instanceof StillageError && error.code === expected;

describe("a fetch from an origin", () => {
  it("stores what comes, and finds it again without asking", async () => {
    web.on("/file", "content");
    const origin = open();
    for (let i = 0; i < 2; i++) {
      const found = await fetch(origin, ["/file"]);
      assert.deepEqual([found?.uri, found?.digest.hash, found?.qualifiers], [`${web.url}/file`, hashOf("content"), []]);
    }
    assert.equal(web.count("/file"), 1);
    assert.equal(tenant.blobs.usage().blobs, 1);
    assert.deepEqual(origin.counts(), { downloads: { stored: 1, failed: 0 }, bytes: 7, running: 0 });
  });

  it("is for the web's URIs alone", async () => {
    const origin = open();
    const urn = "urn:fdc:buildstream.build:2020:artifact:project/element/key";
    // What their qualifiers mean is for their pushers to know.
    assert.equal(await fetch(origin, [urn], { qualifiers: { whatever: "x" } }), undefined);
    assert.equal(await fetch(origin, [urn], { kind: "directory" }), undefined);
    web.on("/file", "content");
    assert.equal((await fetch(origin, [urn, "/file"]))?.uri, `${web.url}/file`);
  });

  it("is verified, by whatever function the checksum is", async () => {
    web.on("/file", "content");
    for (const name of ["sha256", "sha384", "sha512"]) {
      const good = await fetch(open(), ["/file"], {
        qualifiers: { "checksum.sri": sri("content", name), "bazel.canonical_id": name },
      });
      assert.equal(good?.digest.hash, hashOf("content"));
    }
    const before = tenant.blobs.usage();
    for (const name of ["sha256", "sha384", "sha512"]) {
      const qualifiers = { "checksum.sri": sri("other", name) };
      await assert.rejects(fetch(open(), ["/file"], { qualifiers }), code("aborted"));
    }
    assert.deepEqual(tenant.blobs.usage(), before, "nothing of it stays");
    const either = { "checksum.sri": `${sri("other")} ${sri("content")}`, "bazel.canonical_id": "either" };
    assert.ok(await fetch(open(), ["/file"], { qualifiers: either }));
  });

  it("without a checksum is refused where the operator wants one, by name", async () => {
    web.on("/file", "content");
    const origin = open({ mode: "verified" });
    await assert.rejects(fetch(origin, ["/file"]), ({ code: given, violations }: StillageError) => {
      return given === "invalid" && violations[0]?.field === "qualifiers.checksum.sri";
    });
    assert.equal(web.requests.length, 0);
    assert.ok(await fetch(origin, ["/file"], { qualifiers: { "checksum.sri": sri("content") } }));
  });

  it("gives digests of the function that the client wants", async () => {
    web.on("/file", "content");
    for (const fn of [sha1, sha512]) {
      const found = await fetch(open(), ["/file"], { function: fn, qualifiers: { "checksum.sri": sri("content") } });
      assert.deepEqual(found?.digest, digestOf(fn, Buffer.from("content")));
    }
  });

  it("takes what the store has under the checksum, unless name or age count", async () => {
    await putBlob(tenant.blobs, "content");
    const checksum = { "checksum.sri": sri("content") };
    assert.equal((await fetch(open(), ["/gone"], { qualifiers: checksum }))?.digest.hash, hashOf("content"));
    assert.equal(web.requests.length, 0);
    await assert.rejects(
      fetch(open(), ["/gone"], { qualifiers: { ...checksum, "bazel.canonical_id": "x" } }),
      code("not-found"),
    );
    await assert.rejects(fetch(open(), ["/gone"], { qualifiers: checksum, oldest: 1 }), code("not-found"));
  });

  it("is made anew for who wants it newer", async () => {
    web.on("/file", "old");
    await fetch(open(), ["/file"]);
    web.on("/file", "new");
    now = 2000;
    assert.equal((await fetch(open(), ["/file"], { oldest: 1000 }))?.digest.hash, hashOf("old"));
    // As Bazel asks where it has no checksum: for what there will be in an hour.
    assert.equal((await fetch(open(), ["/file"], { oldest: 3_600_000 }))?.digest.hash, hashOf("new"));
    assert.equal((await fetch(open(), ["/file"], { oldest: 2000 }))?.digest.hash, hashOf("new"));
    assert.equal(web.count("/file"), 2);
  });

  it("is one download for all who want it at the same time", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    web.on(
      "/slow",
      (_, response) => void promise.then(() => response.writeHead(200, { "content-length": 3 }).end("abc")),
    );
    const origin = open();
    const all = Array.from({ length: 20 }, () => fetch(origin, ["/slow"]));
    resolve();
    for (const found of await Promise.all(all)) assert.equal(found?.digest.hash, hashOf("abc"));
    assert.equal(web.count("/slow"), 1);
  });

  it("leaves who does not want to wait, and goes on for who comes again", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    web.on(
      "/slow",
      (_, response) => void promise.then(() => response.writeHead(200, { "content-length": 3 }).end("abc")),
    );
    const origin = open();
    await assert.rejects(fetch(origin, ["/slow"], { timeoutMs: 1 }), code("deadline"));
    const again = fetch(origin, ["/slow"]);
    resolve();
    assert.equal((await again)?.digest.hash, hashOf("abc"));
    assert.equal(web.count("/slow"), 1);
  });

  it("tries one URI after the other", async () => {
    web.on("/good", "good");
    web.on("/wrong", "wrong");
    const found = await fetch(open(), ["/absent", "/wrong", "/good"], { qualifiers: { "checksum.sri": sri("good") } });
    assert.equal(found?.uri, `${web.url}/good`);
    assert.deepEqual(
      web.requests.map(({ url }) => url),
      ["/absent", "/wrong", "/good"],
    );
  });

  it("says of several failures what is worth trying again", async () => {
    web.on("/busy", (_, response) => response.writeHead(503).end());
    web.on("/wrong", "wrong");
    const qualifiers = { "checksum.sri": sri("good") };
    await assert.rejects(fetch(open(), ["/absent", "/wrong", "/busy"], { qualifiers }), code("unavailable"));
    await assert.rejects(fetch(open(), ["/absent", "/wrong"], { qualifiers }), code("aborted"));
    await assert.rejects(fetch(open(), ["/absent", "http://10.0.0.1/", "/gone"], { qualifiers }), code("forbidden"));
    await assert.rejects(fetch(open(), ["/absent", "/gone"], { qualifiers }), code("not-found"));
  });

  it("names every URI of what a checksum proves, and else the one alone that gave it", async () => {
    web.on("/mine", "mine");
    const origin = open();
    await fetch(origin, ["/mine", "/theirs"]);
    await assert.rejects(fetch(origin, ["/theirs"]), code("not-found"));
    const qualifiers = { "checksum.sri": sri("mine"), "bazel.canonical_id": "x" };
    await fetch(origin, ["/mine", "/theirs"], { qualifiers });
    assert.ok(await fetch(origin, ["/theirs"], { qualifiers }));
  });

  it("breaks off what is too large, whether or not that is said beforehand", async () => {
    const large = Buffer.alloc(2_000_000, 1);
    web.on("/said", large);
    web.on("/unsaid", (_, response) => response.writeHead(200).end(large));
    const before = tenant.blobs.usage();
    for (const path of ["/said", "/unsaid"]) {
      await assert.rejects(fetch(open({ maxBytes: 1_999_999 }), [path]), code("failed-precondition"));
      assert.ok(await fetch(open({ maxBytes: 2_000_000 }), [path]));
      await tenant.blobs.remove(digestOf(sha256, large));
    }
    assert.deepEqual(tenant.blobs.usage(), before);
  });

  it("takes no content that was cut, and none whose end nobody can know", async () => {
    web.on("/cut", (_, response) => {
      response.writeHead(200, { "content-length": 100 }).write("half", () => response.destroy());
    });
    web.on("/cut-chunks", (_, response) => {
      response.writeHead(200).write("half", () => response.destroy());
    });
    web.on("/endless", (request, response) => {
      response.detachSocket(request.socket);
      request.socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ncontent");
    });
    for (const path of ["/cut", "/cut-chunks"]) {
      await assert.rejects(fetch(open(), [path]), code("unavailable"));
      await assert.rejects(fetch(open(), [path], { qualifiers: { "checksum.sri": sri("half") } }), code("unavailable"));
    }
    await assert.rejects(fetch(open(), ["/endless"]), code("aborted"));
    assert.equal(tenant.blobs.usage().blobs, 0);
    assert.ok(await fetch(open(), ["/endless"], { qualifiers: { "checksum.sri": sri("content") } }));
  });

  it("takes the empty file", async () => {
    web.on("/empty", "");
    for (const qualifiers of [{}, { "checksum.sri": sri("") }]) {
      assert.equal((await fetch(open(), ["/empty"], { qualifiers: { ...qualifiers } }))?.digest.size, 0);
    }
  });

  it("does not fit into a full store, and leaves nothing there", async () => {
    const blobs = new MemoryStore({ quota: 1000 });
    web.on("/file", Buffer.alloc(5000, 1));
    const origin = new Origin({ rules, staging: () => blobs, userAgent: "x", log });
    origins.push(origin);
    for (const qualifiers of [{}, { "checksum.sri": sri(Buffer.alloc(5000, 1)) }]) {
      await assert.rejects(origin.fetch({ ...tenant, blobs }, query(["/file"], { qualifiers })), code("exhausted"));
      assert.equal(blobs.usage().bytes, 0);
    }
  });
});

describe("credentials", () => {
  const secret = "Basic c2VjcmV0";

  it("go to the host that they are for", async () => {
    web.on("/one", (_, response) => response.writeHead(404).end());
    web.on("/two", "content");
    await fetch(open(), ["/one", "/two"], {
      qualifiers: { "http_header_url:1:Authorization": secret, "http_header:X-A": "a" },
    });
    assert.deepEqual(
      web.requests.map(({ headers }) => [headers.authorization, headers["x-a"]]),
      [
        [undefined, "a"],
        [secret, "a"],
      ],
    );
  });

  it("are kept nowhere: not in names, not in messages, not in the log, not in the answer", async () => {
    web.on("/file", "content");
    const stored: NewRef[] = [];
    const put = tenant.refs.put.bind(tenant.refs);
    tenant.refs.put = (refs) => {
      stored.push(...refs);
      return put(refs);
    };
    const qualifiers = {
      "http_header:Authorization": secret,
      "checksum.sri": sri("content"),
      "bazel.canonical_id": "x",
    };
    const found = await fetch(open(), ["/file?signature=c2VjcmV0"], { qualifiers });
    assert.deepEqual(
      found?.qualifiers.map(({ name }) => name),
      ["checksum.sri", "bazel.canonical_id"],
    );
    await assert.rejects(fetch(open(), ["/absent?signature=c2VjcmV0"], { qualifiers }), (error: StillageError) => {
      return !error.message.includes("c2VjcmV0");
    });
    assert.equal(logged.length, 2);
    assert.doesNotMatch(logged.join(), /c2VjcmV0/);
    assert.ok(stored.length > 0);
    for (const { name, message } of stored)
      assert.doesNotMatch(name + Buffer.from(message).toString("latin1"), /Basic/);
  });

  it("without a checksum see what nobody else is told of", async () => {
    web.on("/private", (request, response) => {
      response.writeHead(request.headers.authorization === secret ? 200 : 401, { "content-length": 7 }).end("content");
    });
    const origin = open();
    const qualifiers = { "http_header:Authorization": secret };
    assert.ok(await fetch(origin, ["/private"], { qualifiers }));
    assert.equal(tenant.refs.count("asset"), 0);
    await assert.rejects(fetch(origin, ["/private"]), code("forbidden"));
    assert.ok(await fetch(origin, ["/private"], { qualifiers }));
    assert.equal(web.count("/private"), 3);
  });

  it("of two are two downloads", async () => {
    web.on("/private", (request, response) => {
      const content = String(request.headers.authorization);
      response.writeHead(200, { "content-length": content.length }).end(content);
    });
    const origin = open();
    const as = (who: string) => fetch(origin, ["/private"], { qualifiers: { "http_header:Authorization": who } });
    const [a, b] = await Promise.all([as("a"), as("b")]);
    assert.deepEqual([a?.digest.hash, b?.digest.hash], [hashOf("a"), hashOf("b")]);
  });
});

describe("a directory from an origin", () => {
  const archive = made("mkdir -p t/d; echo -n 1 > t/a; echo -n 2 > t/d/b; tar czf out t");

  it("is what the archive holds, and is asked for once", async () => {
    web.on("/t.tar.gz", archive);
    const origin = open();
    const first = await fetch(origin, ["/t.tar.gz"], { kind: "directory" });
    const again = await fetch(origin, ["/t.tar.gz"], { kind: "directory" });
    assert.deepEqual(first?.digest, again?.digest);
    const blob = await fetch(origin, ["/t.tar.gz"]);
    assert.equal(blob?.digest.hash, hashOf(archive));
    assert.equal(web.count("/t.tar.gz"), 1);
  });

  it("is the same with or without a checksum, and part of it another", async () => {
    web.on("/t.tar.gz", archive);
    const origin = open();
    const ask = (qualifiers: Record<string, string>) => fetch(origin, ["/t.tar.gz"], { kind: "directory", qualifiers });
    const whole = await ask({ "checksum.sri": sri(archive, "sha512") });
    assert.deepEqual((await ask({}))?.digest, whole?.digest);
    const part = await ask({ directory: "t/d/" });
    assert.notEqual(part?.digest.hash, whole?.digest.hash);
    assert.deepEqual((await ask({ directory: "./t/d" }))?.digest, part?.digest);
    await assert.rejects(ask({ directory: "nowhere" }), code("not-found"));
  });

  it("is not what is no archive", async () => {
    web.on("/text", gzipSync("text"));
    await assert.rejects(fetch(open(), ["/text"], { kind: "directory" }), code("failed-precondition"));
    await assert.rejects(
      fetch(open(), ["/text"], { kind: "directory", qualifiers: { "vcs.commit": "x" } }),
      code("invalid"),
    );
  });

  it("is unpacked once for all who want it at the same time", async () => {
    web.on("/t.tar.gz", archive);
    const origin = open();
    const all = Array.from({ length: 10 }, () => fetch(origin, ["/t.tar.gz"], { kind: "directory" }));
    assert.equal(new Set((await Promise.all(all)).map((found) => found?.digest.hash)).size, 1);
    assert.equal(web.count("/t.tar.gz"), 1);
  });
});

describe("the end of a server", () => {
  it("breaks downloads off, and leaves nothing of them", async () => {
    web.on("/endless", (_, response) => {
      response.writeHead(200, { "content-length": 1000 }).write("half");
    });
    const origin = open();
    const fetching = fetch(origin, ["/endless"], { qualifiers: { "checksum.sri": sri("x") } });
    const { promise, resolve } = Promise.withResolvers<void>();
    fetching.catch(() => resolve());
    while (web.count("/endless") === 0) await new Promise((each) => setImmediate(each));
    await origin.close();
    await promise;
    await assert.rejects(fetching, code("unavailable"));
    assert.equal(tenant.blobs.usage().bytes, 0);
  });
});
