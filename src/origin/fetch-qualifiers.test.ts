import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StillageError } from "../base/errors.ts";
import type { AssetKind, Qualifier } from "../cache/asset-name.ts";
import { readQualifiers } from "./fetch-qualifiers.ts";

const sri = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const uris = ["https://one.example/a", "https://two.example:8443/b", "urn:x"];

const list = (qualifiers: Record<string, string>): Qualifier[] =>
  Object.entries(qualifiers).map(([name, value]) => ({ name, value }));
const read = (qualifiers: Record<string, string>, kind: AssetKind = "blob") =>
  readQualifiers(kind, uris, list(qualifiers));
const headersOf = (qualifiers: Record<string, string>) =>
  read(qualifiers).headers.map((each) => Object.fromEntries(each));

describe("the qualifiers of a fetch", () => {
  it("say what is meant, in one spelling", () => {
    const found = read({
      "checksum.sri": ` ${sri}?option  md5-abc `,
      "bazel.canonical_id": "id",
      resource_type: "application/zip",
    });
    assert.deepEqual(found.identity, [
      { name: "checksum.sri", value: sri },
      { name: "bazel.canonical_id", value: "id" },
      { name: "resource_type", value: "application/zip" },
    ]);
    assert.equal(found.integrity?.function, "sha256");
    assert.equal(found.canonicalId, "id");
  });

  it("give headers to all URIs, and those of one the last word", () => {
    assert.deepEqual(
      headersOf({ "http_header:User-Agent": "me", "http_header:Accept": "x", "http_header_url:1:ACCEPT": "y" }),
      [
        { "user-agent": "me", accept: "x" },
        { "user-agent": "me", accept: "y" },
        { "user-agent": "me", accept: "x" },
      ],
    );
  });

  it("take the headers of older Bazels, for the URI or its origin alone", () => {
    const secret = { Authorization: "Basic eDp5" };
    const given = {
      "https://one.example/a": secret,
      "https://two.example:8443": { "X-Token": "t" },
      "https://other/": secret,
    };
    assert.deepEqual(headersOf({ "bazel.auth_headers": JSON.stringify(given) }), [
      { authorization: "Basic eDp5" },
      { "x-token": "t" },
      {},
    ]);
  });

  it("take those for many URIs without comparing each with each", (context) => {
    const many = Array.from({ length: 100 }, (_, i) => `https://one.example/${i}`);
    const given = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [i.toString(36), {}]));
    const parse = context.mock.method(URL, "parse");
    readQualifiers(
      "blob",
      many,
      list({ "bazel.auth_headers": JSON.stringify({ ...given, "https://one.example": { A: "b" } }) }),
    );
    assert.ok(parse.mock.callCount() <= 801);
  });

  it("are no name for others where only headers say who may see the content", () => {
    assert.equal(read({ "http_header:Cookie": "c" }).identity, undefined);
    assert.deepEqual(read({ "http_header:Cookie": "c", "checksum.sri": sri }).identity, [
      { name: "checksum.sri", value: sri },
    ]);
    assert.deepEqual(read({}).identity, []);
  });

  it("name a directory inside an archive", () => {
    assert.deepEqual(read({ directory: "./a//b/" }, "directory").directory, ["a", "b"]);
    assert.deepEqual(read({ directory: "." }, "directory").identity, []);
  });

  const refused: [name: string, value: string, kind?: AssetKind][] = [
    ["checksum", sri],
    ["vcs.commit", "abc"],
    ["vcs.branch", "main"],
    ["", "x"],
    ["checksum.sri", ""],
    ["checksum.sri", "md5-abc"],
    ["checksum.sri", "sha256-abc"],
    ["resource_type", "zip"],
    ["resource_type", "application/x-git"],
    ["directory", "a", "blob"],
    ["directory", "../a", "directory"],
    ["directory", "/a", "directory"],
    ["http_header:", "x"],
    ["http_header:a b", "x"],
    ["http_header:X", "a\r\nHost: b"],
    ["http_header:Host", "internal"],
    ["http_header:Range", "bytes=0-1"],
    ["http_header:Transfer-Encoding", "chunked"],
    ["http_header:Proxy-Authorization", "x"],
    ["http_header_url:3:X", "x"],
    ["http_header_url:-1:X", "x"],
    ["http_header_url:X", "x"],
    ["http_header_url:0:host", "x"],
    ["bazel.auth_headers", "{"],
    ["bazel.auth_headers", "[]"],
    ["bazel.auth_headers", '{"https://one.example/a": "x"}'],
    ["bazel.auth_headers", '{"https://one.example/a": {"Host": "x"}}'],
  ];
  it("refuse several at once, and no more than fit into an answer", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`unknown${i}`, "x"]));
    assert.throws(
      () => read(many),
      ({ violations }: StillageError) => violations.length === 8,
    );
    assert.throws(() => read({ "http_header:X": "x".repeat(9000) }), { code: "invalid" });
  });

  for (const [name, value, kind] of refused) {
    it(`refuse ${JSON.stringify(name)} of ${JSON.stringify(value)}, by name`, () => {
      assert.throws(
        () => read({ [name]: value, "bazel.canonical_id": "id" }, kind),
        ({ code, violations }: StillageError) =>
          code === "invalid" && violations.map(({ field }) => field).join() === `qualifiers.${name}`,
      );
    });
  }
});
