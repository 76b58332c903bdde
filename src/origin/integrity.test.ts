import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type HashName, IntegrityCheck, parseIntegrity, showIntegrity } from "./integrity.ts";

const sri = (name: HashName, text: string) => `${name}-${createHash(name).update(text).digest("base64")}`;
const hex = (name: HashName, text: string) => createHash(name).update(text).digest("hex");

describe("checksum.sri", () => {
  const good: [text: string, name: HashName, contents: string[]][] = [
    [sri("sha256", "a"), "sha256", ["a"]],
    [`${sri("sha256", "a")} ${sri("sha256", "b")}`, "sha256", ["a", "b"]],
    [`${sri("sha256", "a")} ${sri("sha384", "b")}`, "sha384", ["b"]],
    [`${sri("sha512", "c")}\t${sri("sha256", "a")}\n${sri("sha384", "b")}`, "sha512", ["c"]],
    [`md5-xxx ${sri("sha256", "a")} sha3-512-yyy`, "sha256", ["a"]],
    [`  ${sri("sha256", "a")}?opt=1  `, "sha256", ["a"]],
    [sri("sha256", "a").replace(/=+$/, ""), "sha256", ["a"]],
    [sri("sha256", "a").replaceAll("+", "-").replaceAll("/", "_"), "sha256", ["a"]],
    [`${sri("sha256", "a")} ${sri("sha256", "a")}`, "sha256", ["a"]],
  ];
  for (const [text, name, contents] of good) {
    it(`${JSON.stringify(text.slice(0, 60))} asks for ${name} of ${contents}`, () => {
      const found = parseIntegrity(text);
      assert.deepEqual(found, { function: name, hashes: contents.map((each) => hex(name, each)).sort() });
      assert.deepEqual(parseIntegrity(showIntegrity(found)), found);
    });
  }

  const bad = [
    "",
    " ",
    "sha256",
    "sha256-",
    "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    "SHA256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  ];
  bad.push("sha256-abc", `${sri("sha256", "a")}x`, `sha256-${"=".repeat(44)}`, `sha512-${sri("sha256", "a").slice(7)}`);
  bad.push(`${sri("sha256", "a")} sha512-broken`, `${sri("sha256", "a")},${sri("sha256", "b")}`);
  bad.push(Array.from({ length: 101 }, (_, i) => sri("sha256", String(i))).join(" "));
  for (const text of bad) {
    it(`is not ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(() => parseIntegrity(text), { code: "invalid" });
    });
  }

  it("passes content of the strongest function alone", () => {
    const check = (text: string, content: string, by: HashName) => {
      const checking = new IntegrityCheck(parseIntegrity(text), by);
      for (const letter of content) checking.update(Buffer.from(letter));
      checking.check(hex(by, content));
    };
    for (const by of ["sha256", "sha384", "sha512"] as const) {
      check(`${sri("sha384", "abc")} ${sri("sha384", "d")} ${sri("sha256", "other")}`, "abc", by);
      assert.throws(() => check(`${sri("sha512", "other")} ${sri("sha256", "abc")}`, "abc", by), { code: "aborted" });
    }
  });

  it("is read back as it is shown", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { minLength: 1, maxLength: 5 }),
        fc.constantFrom("sha256", "sha384", "sha512"),
        (contents, name) => {
          const found = parseIntegrity(contents.map((each) => sri(name as HashName, each)).join(" "));
          assert.deepEqual(parseIntegrity(showIntegrity(found)), found);
        },
      ),
    );
  });
});
