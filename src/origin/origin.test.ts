import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { digestFunctions, sha256 } from "../base/digest-function.ts";
import type { StillageError } from "../base/errors.ts";
import { putBlob } from "../cache/tree.fixture.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { code, hashOf, OriginTest, sri } from "./origin.fixture.ts";

const test = new OriginTest();

describe("a fetch from an origin", () => {
  it("stores what comes, and finds it again without asking", async () => {
    test.web.on("/file", "content");
    const origin = test.open();
    for (let i = 0; i < 2; i++) {
      const found = await test.fetch(origin, ["/file"]);
      assert.deepEqual(
        [found?.uri, found?.digest.hash, found?.qualifiers],
        [`${test.web.url}/file`, hashOf("content"), []],
      );
    }
    assert.equal(test.web.count("/file"), 1);
    assert.equal(test.tenant.blobs.usage().blobs, 1);
    assert.deepEqual(origin.counts(), { downloads: { stored: 1, failed: 0 }, bytes: 7, running: 0 });
  });

  it("finds what is here for who may not fetch, in whatever spelling, and asks nobody", async () => {
    await putBlob(test.tenant.blobs, "content");
    test.web.on("/file", "other");
    const origin = test.open();
    await test.fetch(origin, ["/file"], { qualifiers: { "checksum.sri": sri("other"), "bazel.canonical_id": "x" } });
    const find = (path: string, qualifiers: Record<string, string>) =>
      origin.find(test.tenant, test.query([path], { qualifiers }));
    assert.equal((await find("/never", { "checksum.sri": sri("content") }))?.digest.hash, hashOf("content"));
    const spelled = { "checksum.sri": `md5-x ${sri("other")}`, "bazel.canonical_id": "x", "http_header:X": "y" };
    assert.equal((await find("/file", spelled))?.digest.hash, hashOf("other"));
    assert.equal(await find("/file", { "vcs.commit": "x" }), undefined);
    assert.equal(await find("/never", {}), undefined);
    assert.equal(test.web.requests.length, 1);
  });

  it("does not serve what somebody pushed under a checksum that it has not", async () => {
    test.web.on("/file", "content");
    const [digest, good] = [await putBlob(test.tenant.blobs, "evil"), digestOf(sha256, Buffer.from("content"))];
    const query = test.query(["/file"], { qualifiers: { "checksum.sri": sri("content") } });
    const { uris, qualifiers } = query;
    const pushed = { kind: "blob", uris, qualifiers, references: [], message: new Uint8Array(0) } as const;
    await test.tenant.assets.store({ ...pushed, digest, expires: undefined });
    const origin = test.open({ mode: "verified" });
    assert.equal(await origin.find(test.tenant, query), undefined);
    assert.deepEqual((await origin.fetch(test.tenant, query))?.digest, good);
    assert.deepEqual((await origin.find(test.tenant, query))?.digest, good);
  });

  it("has a name for each digest function, none of which takes the place of another", async () => {
    test.web.on("/file", "content");
    const origin = test.open();
    for (let i = 0; i < 2; i++) {
      for (const fn of [undefined, ...digestFunctions]) {
        const found = await test.fetch(origin, ["/file"], { function: fn });
        assert.equal(found?.digest.function, fn ?? sha256);
        assert.deepEqual(
          (await origin.find(test.tenant, test.query(["/file"], { function: fn })))?.digest,
          found?.digest,
        );
      }
    }
    assert.equal(test.web.count("/file"), digestFunctions.length);
  });

  it("is for the web's URIs alone", async () => {
    const origin = test.open();
    const urn = "urn:fdc:buildstream.build:2020:artifact:project/element/key";
    // What their qualifiers mean is for their pushers to know.
    assert.equal(await test.fetch(origin, [urn], { qualifiers: { whatever: "x" } }), undefined);
    assert.equal(await test.fetch(origin, [urn], { kind: "directory" }), undefined);
    test.web.on("/file", "content");
    assert.equal((await test.fetch(origin, [urn, "/file"]))?.uri, `${test.web.url}/file`);
  });

  it("is verified, by whatever function the checksum is", async () => {
    test.web.on("/file", "content");
    for (const name of ["sha256", "sha384", "sha512"]) {
      const good = await test.fetch(test.open(), ["/file"], {
        qualifiers: { "checksum.sri": sri("content", name), "bazel.canonical_id": name },
      });
      assert.equal(good?.digest.hash, hashOf("content"));
    }
    const before = test.tenant.blobs.usage();
    for (const name of ["sha256", "sha384", "sha512"]) {
      const qualifiers = { "checksum.sri": sri("other", name) };
      await assert.rejects(test.fetch(test.open(), ["/file"], { qualifiers }), code("aborted"));
    }
    assert.deepEqual(test.tenant.blobs.usage(), before, "nothing of it stays");
    const either = { "checksum.sri": `${sri("other")} ${sri("content")}`, "bazel.canonical_id": "either" };
    assert.ok(await test.fetch(test.open(), ["/file"], { qualifiers: either }));
  });

  it("without a checksum is refused where the operator wants one, by name", async () => {
    test.web.on("/file", "content");
    const origin = test.open({ mode: "verified" });
    await assert.rejects(test.fetch(origin, ["/file"]), ({ code: given, violations }: StillageError) => {
      return given === "invalid" && violations[0]?.field === "qualifiers.checksum.sri";
    });
    assert.equal(test.web.requests.length, 0);
    assert.ok(await test.fetch(origin, ["/file"], { qualifiers: { "checksum.sri": sri("content") } }));
  });

  it("gives digests of the function that the client wants", async () => {
    test.web.on("/file", "content");
    for (const fn of digestFunctions) {
      const found = await test.fetch(test.open(), ["/file"], {
        function: fn,
        qualifiers: { "checksum.sri": sri("content") },
      });
      assert.deepEqual(found?.digest, digestOf(fn, Buffer.from("content")));
    }
  });

  it("takes what the store has under the checksum, unless name or age count", async () => {
    await putBlob(test.tenant.blobs, "content");
    const checksum = { "checksum.sri": sri("content") };
    assert.equal((await test.fetch(test.open(), ["/gone"], { qualifiers: checksum }))?.digest.hash, hashOf("content"));
    assert.equal(test.web.requests.length, 0);
    await assert.rejects(
      test.fetch(test.open(), ["/gone"], { qualifiers: { ...checksum, "bazel.canonical_id": "x" } }),
      code("not-found"),
    );
    await assert.rejects(test.fetch(test.open(), ["/gone"], { qualifiers: checksum, oldest: 1 }), code("not-found"));
  });

  it("is made anew for who wants it newer", async () => {
    test.web.on("/file", "old");
    await test.fetch(test.open(), ["/file"]);
    test.web.on("/file", "new");
    test.now = 2000;
    assert.equal((await test.fetch(test.open(), ["/file"], { oldest: 1000 }))?.digest.hash, hashOf("old"));
    // As Bazel asks where it has no checksum: for what there will be in an hour.
    assert.equal((await test.fetch(test.open(), ["/file"], { oldest: 3_600_000 }))?.digest.hash, hashOf("new"));
    assert.equal((await test.fetch(test.open(), ["/file"], { oldest: 2000 }))?.digest.hash, hashOf("new"));
    assert.equal(test.web.count("/file"), 2);
  });

  it("is as old as the question was, and is not for who wants what is asked for later", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    test.web.on("/slow", (_, response) => {
      asked.resolve();
      void promise.then(() => response.writeHead(200, { "content-length": 3 }).end("abc"));
    });
    const origin = test.open();
    const first = test.fetch(origin, ["/slow"]);
    await asked.promise;
    test.now = 2000;
    const second = test.fetch(origin, ["/slow"], { oldest: 1500 });
    while (test.web.count("/slow") < 2) await new Promise((each) => setImmediate(each));
    test.now = 3000;
    const third = test.fetch(origin, ["/slow"], { oldest: 1500 });
    resolve();
    await Promise.all([first, second, third]);
    assert.equal(test.web.count("/slow"), 2);
    assert.equal(await origin.find(test.tenant, test.query(["/slow"], { oldest: 2001 })), undefined);
  });

  it("says of many failures no more than fits into an answer", async () => {
    const paths = Array.from({ length: 100 }, (_, i) => `/absent${i}${"x".repeat(250)}`);
    await assert.rejects(test.fetch(test.open(), paths), ({ message }: StillageError) => message.length < 4000);
  });

  it("is one download for all who want it at the same time", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    test.web.on(
      "/slow",
      (_, response) => void promise.then(() => response.writeHead(200, { "content-length": 3 }).end("abc")),
    );
    const origin = test.open();
    const all = Array.from({ length: 20 }, () => test.fetch(origin, ["/slow"]));
    resolve();
    for (const found of await Promise.all(all)) assert.equal(found?.digest.hash, hashOf("abc"));
    assert.equal(test.web.count("/slow"), 1);
  });

  it("is two downloads where what is meant differs, each with a name of its own", async () => {
    test.web.on("/typed", "typed");
    const origin = test.open();
    const as = (type: string) => test.fetch(origin, ["/typed"], { qualifiers: { resource_type: type } });
    await Promise.all([as("text/plain"), as("application/zip")]);
    for (const type of ["text/plain", "application/zip"]) assert.ok(await as(type));
    assert.equal(test.web.count("/typed"), 2);
  });

  it("leaves who does not want to wait, and goes on for who comes again", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    test.web.on(
      "/slow",
      (_, response) => void promise.then(() => response.writeHead(200, { "content-length": 3 }).end("abc")),
    );
    const origin = test.open();
    await assert.rejects(test.fetch(origin, ["/slow"], { timeoutMs: 1 }), code("deadline"));
    const again = test.fetch(origin, ["/slow"]);
    resolve();
    assert.equal((await again)?.digest.hash, hashOf("abc"));
    assert.equal(test.web.count("/slow"), 1);
  });

  it("tries one URI after the other", async () => {
    test.web.on("/good", "good");
    test.web.on("/wrong", "wrong");
    const found = await test.fetch(test.open(), ["/absent", "/wrong", "/good"], {
      qualifiers: { "checksum.sri": sri("good") },
    });
    assert.equal(found?.uri, `${test.web.url}/good`);
    assert.deepEqual(
      test.web.requests.map(({ url }) => url),
      ["/absent", "/wrong", "/good"],
    );
  });

  it("says of several failures what is worth trying again", async () => {
    test.web.on("/busy", (_, response) => response.writeHead(503).end());
    test.web.on("/wrong", "wrong");
    const qualifiers = { "checksum.sri": sri("good") };
    await assert.rejects(test.fetch(test.open(), ["/absent", "/wrong", "/busy"], { qualifiers }), code("unavailable"));
    await assert.rejects(test.fetch(test.open(), ["/absent", "/wrong"], { qualifiers }), code("aborted"));
    await assert.rejects(
      test.fetch(test.open(), ["/absent", "http://10.0.0.1/", "/gone"], { qualifiers }),
      code("forbidden"),
    );
    await assert.rejects(test.fetch(test.open(), ["/absent", "/gone"], { qualifiers }), code("not-found"));
  });

  it("names every URI of what a checksum proves, and else the one alone that gave it", async () => {
    test.web.on("/mine", "mine");
    const origin = test.open();
    await test.fetch(origin, ["/mine", "/theirs"]);
    await assert.rejects(test.fetch(origin, ["/theirs"]), code("not-found"));
    const qualifiers = { "checksum.sri": sri("mine"), "bazel.canonical_id": "x" };
    await test.fetch(origin, ["/mine", "/theirs"], { qualifiers });
    assert.ok(await test.fetch(origin, ["/theirs"], { qualifiers }));
  });

  it("breaks off what is too large, whether or not that is said beforehand", async () => {
    const large = Buffer.alloc(2_000_000, 1);
    test.web.on("/said", large);
    test.web.on("/unsaid", (_, response) => response.writeHead(200).end(large));
    const before = test.tenant.blobs.usage();
    for (const path of ["/said", "/unsaid"]) {
      await assert.rejects(test.fetch(test.open({ maxBytes: 1_999_999 }), [path]), code("failed-precondition"));
      assert.ok(await test.fetch(test.open({ maxBytes: 2_000_000 }), [path]));
      await test.tenant.blobs.remove(digestOf(sha256, large));
    }
    assert.deepEqual(test.tenant.blobs.usage(), before);
  });

  it("takes no content that was cut, and none whose end nobody can know", async () => {
    test.web.on("/cut", (_, response) => {
      response.writeHead(200, { "content-length": 100 }).write("half", () => response.destroy());
    });
    test.web.on("/cut-chunks", (_, response) => {
      response.writeHead(200).write("half", () => response.destroy());
    });
    test.web.on("/endless", (request, response) => {
      response.detachSocket(request.socket);
      request.socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ncontent");
    });
    for (const path of ["/cut", "/cut-chunks"]) {
      await assert.rejects(test.fetch(test.open(), [path]), code("unavailable"));
      await assert.rejects(
        test.fetch(test.open(), [path], { qualifiers: { "checksum.sri": sri("half") } }),
        code("unavailable"),
      );
    }
    await assert.rejects(test.fetch(test.open(), ["/endless"]), code("aborted"));
    assert.equal(test.tenant.blobs.usage().blobs, 0);
    assert.ok(await test.fetch(test.open(), ["/endless"], { qualifiers: { "checksum.sri": sri("content") } }));
  });

  it("takes the empty file", async () => {
    test.web.on("/empty", "");
    for (const qualifiers of [{}, { "checksum.sri": sri("") }]) {
      assert.equal((await test.fetch(test.open(), ["/empty"], { qualifiers: { ...qualifiers } }))?.digest.size, 0);
    }
  });

  it("does not fit into a full store, and leaves nothing there", async () => {
    const blobs = new MemoryStore({ quota: 1000 });
    test.web.on("/file", Buffer.alloc(5000, 1));
    const origin = test.open({}, blobs);
    for (const qualifiers of [{}, { "checksum.sri": sri(Buffer.alloc(5000, 1)) }]) {
      await assert.rejects(
        origin.fetch({ ...test.tenant, blobs }, test.query(["/file"], { qualifiers })),
        code("exhausted"),
      );
      assert.equal(blobs.usage().bytes, 0);
    }
  });
});

describe("the end of a server", () => {
  it("breaks downloads off, and leaves nothing of them", async () => {
    test.web.on("/endless", (_, response) => {
      response.writeHead(200, { "content-length": 1000 }).write("half");
    });
    const origin = test.open();
    const fetching = test.fetch(origin, ["/endless"], { qualifiers: { "checksum.sri": sri("x") } });
    const { promise, resolve } = Promise.withResolvers<void>();
    fetching.catch(() => resolve());
    while (test.web.count("/endless") === 0) await new Promise((each) => setImmediate(each));
    await origin.close();
    await promise;
    await assert.rejects(fetching, code("unavailable"));
    assert.equal(test.tenant.blobs.usage().bytes, 0);
  });

  it("does not wait for a connection that has become something else", async () => {
    test.web.on("/other", ({ socket }) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    });
    const origin = test.open();
    await assert.rejects(test.fetch(origin, ["/other"]), code("aborted"));
    await origin.close();
    assert.equal(origin.counts().running, 0);
  });
});
