import assert from "node:assert/strict";
import { test } from "node:test";
import { publicAddress, publicValue } from "./public-address.ts";

test("nothing of an address that is published lets anybody in", () => {
  const cases: readonly [given: string, published: string][] = [
    ["https://bot:s3cret@git.example.org/app.git", "https://git.example.org/app.git"],
    ["https://ghp_TOKEN@github.com/x.tar?access_token=zzz&h=1#a", "https://github.com/x.tar?h=1#a"],
    ["https://example.org/x?token=1", "https://example.org/x"],
    ["https://example.org/x?h=a@b", "https://example.org/x?h=a@b"],
    ["git+https://a:b@c@example.org/", "git+https://example.org/"],
    ["ssh://git:pw@example.org/x", "ssh://git@example.org/x"],
    ["ssh://git@example.org:22/x", "ssh://git@example.org:22/x"],
    ["git@example.org:x.git", "git@example.org:x.git"],
    ["files/a", "files/a"],
  ];
  for (const [given, published] of cases) assert.equal(publicAddress(given), published, given);
  assert.deepEqual(publicValue({ mirrors: ["https://a:b@c.org/", 1], x: null }), {
    mirrors: ["https://c.org/", 1],
    x: null,
  });
});
