import assert from "node:assert/strict";
import { test } from "node:test";
import { ed25519KeyOfSeed, newEd25519Key, signEd25519, verifyEd25519 } from "./ed25519.ts";
import { parsePublicKeys, parseSecretKeys, publicKeyText, secretKeyLine } from "./ed25519-files.ts";
import { bytesOfHex, hex, readJson } from "./vectors.fixture.ts";

interface Vector {
  readonly seed: string;
  readonly public_key: string;
  readonly secret_key_base64_as_the_tool_wants_it: string;
  readonly public_key_base64: string;
  readonly signed_bytes: string;
  readonly signature: string;
}

const vector = readJson<{ ed25519: Vector }>("sign.json").ed25519;
const secretText = vector.secret_key_base64_as_the_tool_wants_it;
const signed = bytesOfHex(vector.signed_bytes);
const signature = bytesOfHex(vector.signature);

test("a signature is that of ostree, byte for byte", () => {
  const [key] = parseSecretKeys(`# a comment\n\n  ${secretText}\r\n`);
  assert.ok(key !== undefined);
  assert.equal(hex(key.seed), vector.seed);
  assert.equal(hex(key.bytes), vector.public_key);
  assert.equal(hex(signEd25519(key, signed)), vector.signature);
  assert.equal(secretKeyLine(key), `${secretText}\n`);
  assert.equal(publicKeyText(key), vector.public_key_base64);
});

test("a signature is verified by its key alone, and of its bytes alone", () => {
  const [key] = parsePublicKeys(vector.public_key_base64);
  assert.ok(key !== undefined);
  assert.equal(verifyEd25519(key, signed, signature), true);
  assert.equal(verifyEd25519(key, signed.subarray(1), signature), false);
  assert.equal(verifyEd25519(newEd25519Key(), signed, signature), false);
  assert.equal(verifyEd25519({ bytes: new Uint8Array(32).fill(255) }, signed, signature), false);
  assert.equal(verifyEd25519({ bytes: key.bytes.subarray(1) }, signed, signature), false);
  for (const wrong of [new Uint8Array(), signature.subarray(1), signature.with(5, 0), new Uint8Array(64)]) {
    assert.equal(verifyEd25519(key, signed, wrong), false);
  }
});

test("a new key comes from as many random bytes as it has", () => {
  assert.deepEqual(
    newEd25519Key((length) => new Uint8Array(length).fill(3)),
    ed25519KeyOfSeed(new Uint8Array(32).fill(3)),
  );
  const key = newEd25519Key();
  assert.deepEqual(
    parseSecretKeys(secretKeyLine(key)).map(({ seed }) => hex(seed)),
    [hex(key.seed)],
  );
});

const other = publicKeyText(newEd25519Key());
const mixed = Buffer.concat([bytesOfHex(vector.seed), Buffer.from(other, "base64")]).toString("base64");
const badSecrets = [
  "",
  "# only a comment",
  vector.public_key_base64,
  `${secretText}x`,
  mixed,
  `${secretText} ${secretText}`,
  "-----BEGIN",
];
for (const text of badSecrets) {
  test(`no secret key: ${text.slice(0, 20)}`, () => {
    assert.throws(
      () => parseSecretKeys(text),
      (error: Error & { code: string }) => {
        // A message ends up in logs.
        assert.equal(error.code, "invalid");
        return text === "" || !error.message.includes(text);
      },
    );
  });
}

for (const text of [
  "",
  secretText,
  `${vector.public_key_base64}\nnot one`,
  vector.public_key_base64.replace("=", ""),
]) {
  test(`no public keys: ${text.slice(0, 20)}`, () => assert.throws(() => parsePublicKeys(text), { code: "invalid" }));
}
