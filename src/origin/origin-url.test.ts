import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isWebUri, parseOriginUrl, showUri, showUrl } from "./origin-url.ts";

describe("the URL of an origin", () => {
  const good: [text: string, host: string, port: number][] = [
    ["https://Example.COM/a?b#c", "example.com", 443],
    ["http://example.com.:8080/", "example.com", 8080],
    ["HTTP://example.com", "example.com", 80],
    ["http://[::1]:80/", "::1", 80],
    ["http://[2001:DB8:0:0::1]/", "2001:db8::1", 80],
    // One form of each address, whatever was written.
    ["http://2130706433/", "127.0.0.1", 80],
    ["http://0x7f000001/", "127.0.0.1", 80],
    ["http://0177.0.0.1/", "127.0.0.1", 80],
    ["http://127.1/", "127.0.0.1", 80],
    ["http://127.0.0.1./", "127.0.0.1", 80],
    ["http://①②⑦.0.0.1/", "127.0.0.1", 80],
    ["http://0/", "0.0.0.0", 80],
    ["http://[::ffff:127.0.0.1]/", "::ffff:7f00:1", 80],
    ["http://example.com\\@127.0.0.1/", "example.com", 80],
    ["http:example.com/", "example.com", 80],
    ["http://bücher.example/", "xn--bcher-kva.example", 80],
  ];
  for (const [text, host, port] of good) {
    it(`${text} is at ${host}:${port}`, () => {
      const found = parseOriginUrl(text);
      assert.deepEqual([found.host, found.port], [host, port]);
      assert.equal(found.url.hash, "");
    });
  }

  const bad = [
    "",
    "http://",
    "https:///",
    "ftp://example.com/",
    "file:///etc/passwd",
    "urn:fdc:buildstream.build:2020:artifact:a/b/c",
    "gopher://127.0.0.1:6379/_x",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://:secret@example.com/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://1.2.3.4.5/",
    "http://256.0.0.1/",
    "http://0x1ffffffff/",
    "http://exa mple.com/",
    "http://example.com:99999/",
    "http://a%00b/",
    "http://example.com../",
    "http://127.0.0.1../",
    "http://a..example.com/",
    "http://.example.com/",
    "//example.com/",
    "/etc/passwd",
  ];
  for (const text of bad) {
    it(`is not ${JSON.stringify(text)}, and the message keeps secrets`, () => {
      assert.throws(
        () => parseOriginUrl(text),
        ({ code, message }: { code: string; message: string }) => code === "invalid" && !message.includes("secret"),
      );
    });
  }

  it("is shown without its query", () => {
    assert.equal(showUrl(parseOriginUrl("https://host/a/b?X-Signature=secret#x")), "https://host/a/b");
  });

  it("is shown without its secrets also where it is none, and other URIs as they are", () => {
    const shown = {
      "https://user:secret@host:8080/a?token=secret#secret": "https://host:8080/a",
      "http://user:secret@ho st/": "an http URI that is none",
      "urn:x?a=b": "urn:x?a=b",
      "": "",
    };
    for (const [uri, expected] of Object.entries(shown)) assert.equal(showUri(uri), expected);
  });

  it("is told from other URIs", () => {
    for (const uri of ["http://a", "HTTPS://a", "https:a"]) assert.equal(isWebUri(uri), true);
    for (const uri of ["urn:fdc:buildstream.build:2020:source:x", "httpx://a", "ftp://a", " http://a"]) {
      assert.equal(isWebUri(uri), false);
    }
  });
});
