import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isPublicAddress } from "./address-guard.ts";

const open = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "168.63.129.17",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.1",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4001:830::200e",
  "2001:4860:4860::8888",
  "2001:200::1",
  "2620:fe::fe",
  "::ffff:8.8.8.8",
  "::ffff:808:808",
  "64:ff9b::8.8.8.8",
  "64:ff9b::808:808",
];

const closed = [
  "",
  "localhost",
  "256.1.1.1",
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.100.100.200",
  "127.0.0.1",
  "127.255.255.254",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::7f00:1",
  "::127.0.0.1",
  "::8.8.8.8",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:10.0.0.1",
  "::ffff:a9fe:a9fe",
  "0:0:0:0:0:ffff:192.168.0.1",
  "::ffff:0:127.0.0.1",
  "64:ff9b::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::a00:1",
  "64:ff9b::10.0.0.1",
  "64:ff9b:0:0:0:0:c0a8:1",
  "64:ff9b:1::808:808",
  "64:ff9b:1::a00:1",
  "100::1",
  "2001::1",
  "2001:0:53aa:64c:0:0:f5ff:fffe",
  "2001:2::1",
  "2001:10::1",
  "2001:20::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:808:808::1",
  "3ffe::1",
  "3fff::1",
  "4000::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "2606:4700:4700::1111%eth0",
  "fec0::1",
  "ff02::1",
];

describe("an address", () => {
  for (const address of open) it(`${address} is public`, () => assert.equal(isPublicAddress(address), true));
  for (const address of closed) it(`"${address}" is not`, () => assert.equal(isPublicAddress(address), false));

  it("of IPv4 is as public by itself as inside one of IPv6, however that is written", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const words = address.split(".").map(Number) as [number, number, number, number];
        const hex = `${((words[0] << 8) | words[1]).toString(16)}:${((words[2] << 8) | words[3]).toString(16)}`;
        for (const prefix of ["::ffff:", "0:0:0:0:0:ffff:", "64:ff9b::", "64:ff9b:0:0:0:0:"]) {
          assert.equal(isPublicAddress(`${prefix}${address}`), isPublicAddress(address));
          assert.equal(isPublicAddress(`${prefix}${hex}`), isPublicAddress(address));
        }
      }),
    );
  });
});
