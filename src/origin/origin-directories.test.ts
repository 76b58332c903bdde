import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { digestFunctions } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { putBlob } from "../cache/tree.fixture.ts";
import { made } from "./archive/archive.fixture.ts";
import { code, hashOf, OriginTest, sri } from "./origin.fixture.ts";

const test = new OriginTest();

describe("a directory from an origin", () => {
  const archive = made("mkdir -p t/d; echo -n 1 > t/a; echo -n 2 > t/d/b; tar czf out t");

  it("is what the archive holds, and is asked for once", async () => {
    test.web.on("/t.tar.gz", archive);
    const origin = test.open();
    const first = await test.fetch(origin, ["/t.tar.gz"], { kind: "directory" });
    const again = await test.fetch(origin, ["/t.tar.gz"], { kind: "directory" });
    assert.deepEqual(first?.digest, again?.digest);
    const blob = await test.fetch(origin, ["/t.tar.gz"]);
    assert.equal(blob?.digest.hash, hashOf(archive));
    assert.equal(test.web.count("/t.tar.gz"), 1);
  });

  it("is the same with or without a checksum, and part of it another", async () => {
    test.web.on("/t.tar.gz", archive);
    const origin = test.open();
    const ask = (qualifiers: Record<string, string>) =>
      test.fetch(origin, ["/t.tar.gz"], { kind: "directory", qualifiers });
    const whole = await ask({ "checksum.sri": sri(archive, "sha512") });
    assert.deepEqual((await ask({}))?.digest, whole?.digest);
    const part = await ask({ directory: "t/d/" });
    assert.notEqual(part?.digest.hash, whole?.digest.hash);
    assert.deepEqual((await ask({ directory: "./t/d" }))?.digest, part?.digest);
    await assert.rejects(ask({ directory: "nowhere" }), code("not-found"));
  });

  it("is no newer than the archive, and expires with it", async () => {
    const uris = [`${test.web.url}/pushed.tar.gz`];
    const digest = await putBlob(test.tenant.blobs, archive);
    const pushed = { kind: "blob", uris, qualifiers: [], references: [], message: new Uint8Array(0) } as const;
    await test.tenant.assets.store({ ...pushed, digest, expires: 9000 });
    test.now = 5000;
    const origin = test.open();
    assert.equal((await test.fetch(origin, uris, { kind: "directory" }))?.expires, 9000);
    assert.ok(await test.fetch(origin, uris, { kind: "directory", oldest: 1000 }));
    await assert.rejects(test.fetch(origin, uris, { kind: "directory", oldest: 3000 }), code("not-found"));
    test.now = 9000;
    await assert.rejects(test.fetch(origin, uris, { kind: "directory" }), code("not-found"));
  });

  it("is made of an archive that was pushed, by whatever digest function", async () => {
    const origin = test.open();
    for (const fn of digestFunctions) {
      const uris = [`${test.web.url}/pushed.${fn.name}`];
      const digest = await putBlob(test.tenant.blobs, archive, fn);
      const pushed = { kind: "blob", uris, qualifiers: [], references: [], message: new Uint8Array(0) } as const;
      await test.tenant.assets.store({ ...pushed, digest, expires: undefined });
      const found = await test.fetch(origin, uris, { kind: "directory", function: fn });
      assert.equal(found?.digest.function, fn);
    }
    assert.equal(test.web.requests.length, 0);
  });

  it("is not what is no archive", async () => {
    test.web.on("/text", gzipSync("text"));
    await assert.rejects(test.fetch(test.open(), ["/text"], { kind: "directory" }), code("failed-precondition"));
    await assert.rejects(
      test.fetch(test.open(), ["/text"], { kind: "directory", qualifiers: { "vcs.commit": "x" } }),
      code("invalid"),
    );
  });

  it("is kept also where nobody waits any more when it is unpacked", async () => {
    test.web.on("/t.tar.gz", archive);
    const origin = test.open();
    await test.fetch(origin, ["/t.tar.gz"]);
    const leaving = new AbortController();
    const open = test.tenant.blobs.open.bind(test.tenant.blobs);
    test.tenant.blobs.open = (digest) => {
      leaving.abort(new StillageError("cancelled", "gone"));
      return open(digest);
    };
    const gone = test.fetch(origin, ["/t.tar.gz"], { kind: "directory", signal: leaving.signal });
    await assert.rejects(gone, code("cancelled"));
    const query = test.query(["/t.tar.gz"], { kind: "directory" });
    while ((await origin.find(test.tenant, query)) === undefined) await new Promise((each) => setImmediate(each));
  });

  it("is unpacked once for all who want it at the same time", async () => {
    test.web.on("/t.tar.gz", archive);
    const origin = test.open();
    const all = Array.from({ length: 10 }, () => test.fetch(origin, ["/t.tar.gz"], { kind: "directory" }));
    assert.equal(new Set((await Promise.all(all)).map((found) => found?.digest.hash)).size, 1);
    assert.equal(test.web.count("/t.tar.gz"), 1);
  });
});
