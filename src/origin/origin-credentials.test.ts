import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StillageError } from "../base/errors.ts";
import type { NewRef } from "../store/ref-store.ts";
import { code, hashOf, OriginTest, sri } from "./origin.fixture.ts";

const test = new OriginTest();

describe("credentials", () => {
  const secret = "Basic c2VjcmV0";

  it("go to the host that they are for", async () => {
    test.web.on("/one", (_, response) => response.writeHead(404).end());
    test.web.on("/two", "content");
    await test.fetch(test.open(), ["/one", "/two"], {
      qualifiers: { "http_header_url:1:Authorization": secret, "http_header:X-A": "a" },
    });
    assert.deepEqual(
      test.web.requests.map(({ headers }) => [headers.authorization, headers["x-a"]]),
      [
        [undefined, "a"],
        [secret, "a"],
      ],
    );
  });

  it("are kept nowhere: not in names, not in messages, not in the log, not in the answer", async () => {
    test.web.on("/file", "content");
    const stored: NewRef[] = [];
    const put = test.tenant.refs.put.bind(test.tenant.refs);
    test.tenant.refs.put = (refs) => {
      stored.push(...refs);
      return put(refs);
    };
    const qualifiers = {
      "http_header:Authorization": secret,
      "checksum.sri": sri("content"),
      "bazel.canonical_id": "x",
    };
    const found = await test.fetch(test.open(), ["/file?signature=c2VjcmV0"], { qualifiers });
    assert.deepEqual(
      found?.qualifiers.map(({ name }) => name),
      ["checksum.sri", "bazel.canonical_id"],
    );
    await assert.rejects(
      test.fetch(test.open(), ["/absent?signature=c2VjcmV0"], { qualifiers }),
      (error: StillageError) => {
        return !error.message.includes("c2VjcmV0");
      },
    );
    assert.equal(test.logged.length, 2);
    assert.doesNotMatch(test.logged.join(), /c2VjcmV0/);
    assert.ok(stored.length > 0);
    for (const { name, message } of stored)
      assert.doesNotMatch(name + Buffer.from(message).toString("latin1"), /Basic/);
  });

  it("without a checksum see what nobody else is told of", async () => {
    test.web.on("/private", (request, response) => {
      response.writeHead(request.headers.authorization === secret ? 200 : 401, { "content-length": 7 }).end("content");
    });
    const origin = test.open();
    const qualifiers = { "http_header:Authorization": secret };
    assert.ok(await test.fetch(origin, ["/private"], { qualifiers }));
    assert.equal(test.tenant.refs.count("asset"), 0);
    await assert.rejects(test.fetch(origin, ["/private"]), code("forbidden"));
    assert.ok(await test.fetch(origin, ["/private"], { qualifiers }));
    assert.equal(test.web.count("/private"), 3);
  });

  it("of two are two downloads", async () => {
    test.web.on("/private", (request, response) => {
      const content = String(request.headers.authorization);
      response.writeHead(200, { "content-length": content.length }).end(content);
    });
    const origin = test.open();
    const as = (who: string) => test.fetch(origin, ["/private"], { qualifiers: { "http_header:Authorization": who } });
    const [a, b] = await Promise.all([as("a"), as("b")]);
    assert.deepEqual([a?.digest.hash, b?.digest.hash], [hashOf("a"), hashOf("b")]);
  });
});
