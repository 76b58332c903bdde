import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { matchesHost, parseHostPattern } from "./host-pattern.ts";

describe("a host pattern", () => {
  const matching: [pattern: string, host: string, port: number, addresses: string[], matches: boolean][] = [
    ["mirror.example", "mirror.example", 80, [], true],
    ["Mirror.Example", "mirror.example", 80, [], true],
    ["mirror.example", "a.mirror.example", 80, [], false],
    ["mirror.example", "mirror.example.com", 80, [], false],
    ["mirror.example:8080", "mirror.example", 8080, [], true],
    ["mirror.example:8080", "mirror.example", 80, [], false],
    ["*.example", "mirror.example", 80, [], true],
    ["*.example", "a.b.example", 80, [], true],
    ["*.example", "example", 80, [], false],
    ["*.example", "badexample", 80, [], false],
    ["*", "whatever", 1, [], true],
    ["*:443", "whatever", 80, [], false],
    ["127.0.0.1", "localhost", 80, ["127.0.0.1"], true],
    ["127.0.0.1:80", "127.0.0.1", 80, ["127.0.0.1"], true],
    ["127.0.0.1:80", "127.0.0.1", 81, ["127.0.0.1"], false],
    ["10.0.0.0/8", "x", 80, ["10.255.0.1"], true],
    ["10.0.0.0/8", "x", 80, ["11.0.0.1"], false],
    ["10.0.0.0/8", "10.example", 80, [], false],
    ["[::1]:80", "::1", 80, ["::1"], true],
    ["::1", "::1", 80, ["::1"], true],
    ["fd00::/8", "x", 80, ["fd12::1"], true],
    ["fd00::/8", "x", 80, ["10.0.0.1"], false],
  ];
  for (const [text, host, port, addresses, expected] of matching) {
    it(`${text} ${expected ? "means" : "does not mean"} ${host}:${port} ${addresses}`, () => {
      const pattern = parseHostPattern(text);
      assert.ok(pattern);
      assert.equal(matchesHost(pattern, { host, port }, addresses), expected);
    });
  }

  const bad = [
    "",
    ":80",
    "a:0",
    "a:65536",
    "a:x",
    "a b",
    "-a",
    "a..b",
    "*.",
    "*a",
    "a.*",
    "http://a",
    "a/b",
    "1.2.3",
    "1.2.3.4.5",
  ];
  bad.push(
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/8:80",
    "[::1",
    "[a]:80",
    "fe80::1%lo/64",
    `${"a".repeat(300)}`,
  );
  for (const text of bad)
    it(`is not ${JSON.stringify(text.slice(0, 30))}`, () => assert.equal(parseHostPattern(text), undefined));
});
