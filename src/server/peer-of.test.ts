import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf } from "./peer-of.ts";

test("an IPv6 client is its network of 64 bits, an IPv4 client its address", () => {
  for (const [host, network] of [
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["unix", "unix"],
  ] as const) {
    assert.equal(networkOf(host), network);
  }
});
