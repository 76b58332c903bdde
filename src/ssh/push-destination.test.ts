import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePushDestination, parseSshUrl } from "./push-destination.ts";

test("both forms of a destination", () => {
  const at = (host: string, path: string, user?: string, port?: number) => ({ host, path, user, port });
  for (const [text, expected] of [
    ["ssh://example.com/srv/repo", at("example.com", "/srv/repo")],
    ["ssh://ci@example.com:2222/srv/my repo", at("example.com", "/srv/my repo", "ci", 2222)],
    ["ssh://[2001:db8::1]:22/r", at("2001:db8::1", "/r", undefined, 22)],
    ["example.com:os", at("example.com", "os")],
    ["ci@example.com:/srv/os", at("example.com", "/srv/os", "ci")],
    ["ci@[fe80::1%eth0]:~/os", at("fe80::1%eth0", "~/os", "ci")],
    ["build_host-1:a:b@c", at("build_host-1", "a:b@c")],
  ] as const) {
    assert.deepEqual(parsePushDestination(text), expected, text);
  }
});

test("what is no destination, or would be an option to ssh", () => {
  for (const text of [
    "",
    "os",
    "/srv/os",
    ":os",
    "host:",
    "ssh://host",
    "ssh://host/",
    "ssh:///srv",
    "ssh://host:0/r",
    "ssh://host:65536/r",
    "ssh://host:x/r",
    "https://host/r",
    "-oProxyCommand=x:os",
    "ssh://-oProxyCommand=x/r",
    "-l@host:os",
    "@host:os",
    "host:-x",
    "[nonsense]:os",
    "ho st:os",
    "host:a\nb",
    "ssh://a@b@host/r",
  ]) {
    assert.throws(() => parsePushDestination(text), { code: "invalid" }, text);
  }
});

test("a URL alone may be without a path", () => {
  for (const text of ["ssh://ci@example.com", "ssh://ci@example.com/"]) {
    assert.deepEqual(parseSshUrl(text), { user: "ci", host: "example.com", port: undefined, path: "/" });
    assert.throws(() => parsePushDestination(text), { code: "invalid" });
  }
  assert.throws(() => parseSshUrl("example.com:os"), { code: "invalid" });
});
