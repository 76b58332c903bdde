import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeDetached, encodeDetached, signatureKeys, signaturesIn, withSignature } from "./detached.ts";
import { bytesOfHex, hex, readJson, tinyAnswers, tinyRepository } from "./vectors.fixture.ts";

interface SignVector {
  readonly ed25519: { readonly signature: string };
  readonly gpg: { readonly detached_binary_signature: string };
  readonly commitmeta: string;
}

const vector = readJson<SignVector>("sign.json");
const ed25519 = bytesOfHex(vector.ed25519.signature);
const gpg = bytesOfHex(vector.gpg.detached_binary_signature);

test("signatures of a commit are written in the bytes of ostree, and found in them", () => {
  const made = withSignature(withSignature([], "ed25519", ed25519), "gpg", gpg);
  assert.equal(hex(encodeDetached(made)), vector.commitmeta);
  const read = decodeDetached(bytesOfHex(vector.commitmeta));
  assert.deepEqual(signaturesIn(read, "ed25519"), [ed25519]);
  assert.deepEqual(signaturesIn(read, "gpg"), [gpg]);
});

test("those in a real repository are read, and written as they were", () => {
  const summary = tinyRepository().get("summary.sig") ?? new Uint8Array();
  assert.equal(hex(summary), tinyAnswers.summary_sig_hex);
  assert.equal(hex(encodeDetached(decodeDetached(summary))), hex(summary));
  assert.equal(signaturesIn(decodeDetached(summary), "gpg").length, 1);
  const commit = tinyAnswers.commits["test/two"] ?? "";
  const detached = tinyRepository().get(`objects/${commit.slice(0, 2)}/${commit.slice(2)}.commitmeta`);
  assert.equal(hex(detached ?? new Uint8Array()), vector.commitmeta);
});

test("a further signature comes behind the others, and everything else stays where it was", () => {
  const foreign = ["org.example.note", { type: "s", value: "kept" }] as const;
  const before = [...withSignature([], "gpg", gpg), foreign];
  const after = withSignature(before, "gpg", ed25519);
  assert.deepEqual(after, [[signatureKeys.gpg, { type: "aay", value: [gpg, ed25519] }], foreign]);
  assert.deepEqual(decodeDetached(encodeDetached(after)), after);
  assert.equal(withSignature(after, "gpg", gpg), after);
  assert.deepEqual(signaturesIn(after, "ed25519"), []);
});

test("a key of signatures that holds something else holds none", () => {
  assert.deepEqual(signaturesIn([[signatureKeys.gpg, { type: "s", value: "text" }]], "gpg"), []);
});

for (const text of ["00", vector.commitmeta.slice(2), `${vector.commitmeta}00`]) {
  test(`refuses ${text.slice(0, 20)}`, () =>
    assert.throws(() => decodeDetached(bytesOfHex(text)), { code: "invalid" }));
}

test("of signatures there are a hundred at most", () => {
  const many = (count: number): Uint8Array =>
    encodeDetached([[signatureKeys.gpg, { type: "aay", value: Array(count).fill(gpg) }]]);
  assert.equal(signaturesIn(decodeDetached(many(100)), "gpg").length, 100);
  assert.throws(() => decodeDetached(many(101)), { code: "invalid", message: /101 signatures/ });
});
