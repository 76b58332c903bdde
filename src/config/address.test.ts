import assert from "node:assert/strict";
import { test } from "node:test";
import { address, addressIdentity, resolveAddress } from "./address.ts";
import { checked } from "./checking.fixture.ts";

test("addresses are a host with a port, the path of a Unix socket, or the name of a socket that is handed over", () => {
  const good = [
    "127.0.0.1:0",
    "0.0.0.0:65535",
    "[::]:11001",
    "[fe80::1%eth0]:1",
    "cache.example.org:11001",
    "localhost:1",
  ];
  for (const text of [
    ...good,
    "a_b:1",
    "unix:/run/x",
    "unix:x",
    "systemd:pull",
    "systemd:stillage-pull.socket",
    `unix:${"x".repeat(107)}`,
  ]) {
    assert.deepEqual(checked(address, text), { value: text }, text);
  }
  const wrong = [
    "",
    "127.0.0.1",
    ":11001",
    "*:1",
    "11001",
    "::1:1",
    "[::1]",
    "[127.0.0.1]:1",
    "[x]:1",
    "127.0.0.1:65536",
  ];
  const more = [
    "1.2.3:1",
    "256.1.1.1:1",
    "a b:1",
    "host:",
    "host:-1",
    "host:1.5",
    "host:1 ",
    "http://host:1",
    "host:1/x",
  ];
  const paths = [
    "systemd:",
    "systemd:a b",
    "systemd:a:b",
    "systemd:a,b",
    "unix:",
    `unix:${"x".repeat(108)}`,
    "unix:/a\0b",
  ];
  for (const text of [...wrong, ...more, ...paths, `${"h".repeat(254)}:1`, "host:00000000001", 11001, null]) {
    assert.ok("findings" in checked(address, text), String(text));
  }
});

test("the path of a socket is seen from a folder", () => {
  assert.equal(resolveAddress("unix:run/x", "/etc/stillage"), "unix:/etc/stillage/run/x");
  assert.equal(resolveAddress("unix:/run/x", "/etc/stillage"), "unix:/run/x");
  assert.equal(resolveAddress("host:1", "/etc/stillage"), "host:1");
});

test("any free port is another one each time", () => {
  assert.equal(addressIdentity("127.0.0.1:0"), undefined);
  assert.equal(addressIdentity("127.0.0.1:10"), "127.0.0.1:10");
  assert.equal(addressIdentity("unix:/tmp/a:0"), "unix:/tmp/a:0");
  assert.equal(addressIdentity("systemd:0"), "systemd:0");
});
