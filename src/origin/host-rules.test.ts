import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type HostPattern, parseHostPattern } from "../base/host-pattern.ts";
import { allowedAddresses } from "./host-rules.ts";
import { parseOriginUrl } from "./origin-url.ts";

const names: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["93.184.215.14", "2606:2800:21f:cb07::1"],
  "inside.example": ["10.1.2.3"],
  "two.inside.example": ["10.1.2.3", "10.9.9.9"],
  "mixed.example": ["93.184.215.14", "127.0.0.1"],
  "metadata.example": ["169.254.169.254"],
  "mapped.example": ["::ffff:10.0.0.1"],
  "nat64.example": ["64:ff9b::a00:1"],
  "zone.example": ["fe80::1%eth0"],
  "empty.example": [],
  localhost: ["127.0.0.1", "::1"],
};

async function resolve(host: string) {
  const found = names[host];
  if (found === undefined)
    throw Object.assign(new Error("none"), { code: host === "slow.example" ? "EAI_AGAIN" : "ENOTFOUND" });
  return found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
}

const patterns = (...texts: string[]) => texts.map((text) => parseHostPattern(text) as HostPattern);

const ownAddresses = () => [
  { address: "198.41.0.7", family: "IPv4", cidr: "198.41.0.7/24" } as const,
  { address: "192.5.6.30", family: "IPv4", cidr: "192.5.6.30/0" } as const,
  { address: "2a00:1450::7", family: "IPv6", cidr: "2a00:1450::7/64" } as const,
];

async function ask(url: string, allow: string[] = [], deny: string[] = []): Promise<string> {
  const rules = { allow: patterns(...allow), deny: patterns(...deny), resolve, ownAddresses };
  const found = await allowedAddresses(parseOriginUrl(url), rules);
  return found.map(({ address }) => address).join(" ");
}

describe("a host", () => {
  it("on the public Internet may be asked, at any port that is the web's or nobody's", async () => {
    for (const port of [80, 443, 1024, 8080, 65535]) {
      assert.equal(await ask(`http://public.example:${port}/`), names["public.example"]?.join(" "));
    }
    assert.equal(await ask("https://93.184.215.14/"), "93.184.215.14");
    for (const port of [1, 22, 25, 53, 1023]) {
      await assert.rejects(ask(`http://public.example:${port}/`), { code: "forbidden" });
    }
  });

  const inside = Object.keys(names).filter((name) => !["public.example", "empty.example"].includes(name));
  inside.push(
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "169.254.169.254",
    "0.0.0.0",
    "[fd00::1]",
  );
  for (const host of inside) {
    it(`inside may not: ${host}`, () => assert.rejects(ask(`http://${host}/`), { code: "forbidden" }));
  }

  it("that does not exist is not found, and one that cannot be looked up now may be later", async () => {
    await assert.rejects(ask("http://nowhere.example/"), { code: "not-found" });
    await assert.rejects(ask("http://empty.example/"), { code: "not-found" });
    await assert.rejects(ask("http://slow.example/"), { code: "unavailable" });
  });

  const allowed: [url: string, allow: string, is: boolean][] = [
    ["http://inside.example/", "inside.example", true],
    ["http://inside.example:22/", "inside.example", true],
    ["http://inside.example:22/", "inside.example:80", false],
    ["http://two.inside.example/", "*.inside.example", true],
    ["http://inside.example/", "*.inside.example", false],
    ["http://inside.example/", "10.0.0.0/8", true],
    ["http://10.1.2.3/", "10.1.2.3", true],
    ["http://10.1.2.4/", "10.1.2.3", false],
    ["http://two.inside.example/", "10.1.0.0/16", false],
    ["http://mixed.example/", "127.0.0.0/8", false],
    ["http://localhost/", "localhost", true],
    ["http://127.0.0.1/", "localhost", false],
  ];
  for (const [url, allow, is] of allowed) {
    it(`${url} ${is ? "may" : "may not"} be asked with ${allow} allowed`, async () => {
      if (is) assert.ok(await ask(url, [allow]));
      else await assert.rejects(ask(url, [allow]), { code: "forbidden" });
    });
  }

  it("that is denied may not, unless it is allowed", async () => {
    await assert.rejects(ask("http://public.example/", [], ["public.example"]), { code: "forbidden" });
    await assert.rejects(ask("http://public.example/", [], ["*"]), { code: "forbidden" });
    await assert.rejects(ask("http://public.example/", [], ["93.184.0.0/16"]), { code: "forbidden" });
    await assert.rejects(ask("http://public.example/", ["inside.example"], ["*"]), { code: "forbidden" });
    assert.ok(await ask("http://inside.example/", ["inside.example"], ["*"]));
  });

  it("that is denied may not by an address of IPv6 that leads to it either", async () => {
    for (const host of ["[64:ff9b::5db8:d822]", "[::ffff:93.184.216.34]"]) {
      assert.ok(await ask(`http://${host}/`));
      await assert.rejects(ask(`http://${host}/`, [], ["93.184.0.0/16"]), { code: "forbidden" });
    }
  });

  it("that is this machine, or beside it, may not, though it is public, unless it is allowed", async () => {
    const near = ["198.41.0.7", "198.41.0.8", "192.5.6.30", "[2a00:1450::7]", "[2a00:1450::8]", "[64:ff9b::c629:8]"];
    for (const host of near) await assert.rejects(ask(`http://${host}/`), { code: "forbidden" });
    for (const host of ["198.41.1.7", "192.5.6.31", "[2a00:1450:0:1::7]"]) assert.ok(await ask(`http://${host}/`));
    assert.ok(await ask("http://198.41.0.8/", ["198.41.0.0/24"]));
  });
});
