import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { StillageError } from "../base/errors.ts";
import { decodeEnvelope, encodeEnvelope, preAuthenticationEncoding } from "./dsse.ts";

/** The test vector of DSSE 1.0.2, protocol.md: an ECDSA key, which releases do not use, and a signature by it. */
const vector = {
  x: 46950820868899156662930047687818585632848591499744589407958293238635476079160n,
  y: 5640078356564379163099075877009565129882514886557779369047442380624545832820n,
  pae: "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  envelope: `{"payload": "aGVsbG8gd29ybGQ=",
 "payloadType": "http://example.com/HelloWorld",
 "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}`,
};

function coordinate(value: bigint): string {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").toString("base64url");
}

describe("DSSE", () => {
  test("the specification's own example verifies", () => {
    const { payloadType, payload, signatures } = decodeEnvelope(Buffer.from(vector.envelope));
    const signed = preAuthenticationEncoding(payloadType, payload);
    assert.equal(Buffer.from(signed).toString(), vector.pae);
    const jwk = { kty: "EC", crv: "P-256", x: coordinate(vector.x), y: coordinate(vector.y) };
    const key = createPublicKey({ format: "jwk", key: jwk });
    assert.equal(signatures.length, 1);
    assert.equal(signatures[0]?.keyid, "");
    const sig = signatures[0]?.sig ?? new Uint8Array();
    assert.equal(verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, sig), true);
  });

  test("lengths are those of the bytes, not of the characters", () => {
    const signed = preAuthenticationEncoding("é", Buffer.from("ü€"));
    assert.equal(Buffer.from(signed).toString(), "DSSEv1 2 é 5 ü€");
    assert.equal(Buffer.from(preAuthenticationEncoding("", new Uint8Array())).toString(), "DSSEv1 0  0 ");
  });

  test("what is encoded is read again", () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    const signature = fc.record({ keyid: fc.string({ unit: "grapheme" }), sig: bytes });
    const envelope = fc.record({
      payloadType: fc.string(),
      payload: bytes,
      signatures: fc.array(signature, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(envelope, (given) => {
        const read = decodeEnvelope(encodeEnvelope(given));
        assert.deepEqual(encodeEnvelope(read), encodeEnvelope(given));
        assert.equal(read.payloadType, given.payloadType);
        assert.deepEqual(Buffer.from(read.payload), Buffer.from(given.payload));
      }),
      { numRuns: 50 },
    );
  });

  test("both alphabets are read, and fields that are not known skipped", () => {
    const payloads = ["-_8=", "+/8=", "-_8", "+/8"];
    for (const payload of payloads) {
      const text = JSON.stringify({ payloadType: "t", payload, signatures: [{ sig: "", more: 1 }], other: {} });
      assert.deepEqual([...decodeEnvelope(Buffer.from(text)).payload], [0xfb, 0xff]);
    }
  });

  test("anything else is refused", () => {
    const whole = { payloadType: "t", payload: "", signatures: [] as unknown[] };
    const bad: [string, unknown][] = [
      ["is not JSON", "{"],
      ["is not an object", []],
      ["payloadType", { ...whole, payloadType: 1 }],
      ["payload is not a text", { ...whole, payload: undefined }],
      ["payload is not base64", { ...whole, payload: "a" }],
      ["payload is not base64", { ...whole, payload: "+_8=" }],
      ["payload is not base64", { ...whole, payload: "YQ=" }],
      ["payload is not base64", { ...whole, payload: "YR==" }],
      ["payload is not base64", { ...whole, payload: "YQ==\n" }],
      ["signatures is not a list", { ...whole, signatures: {} }],
      ["more than 64 signatures", { ...whole, signatures: Array(65).fill({ sig: "" }) }],
      ["signatures[0] is not an object", { ...whole, signatures: [1] }],
      ["signatures[0].sig is not a text", { ...whole, signatures: [{}] }],
      ["signatures[0].keyid is not a text", { ...whole, signatures: [{ keyid: 1, sig: "" }] }],
    ];
    for (const [says, given] of bad) {
      const text = typeof given === "string" ? given : JSON.stringify(given);
      assert.throws(
        () => decodeEnvelope(Buffer.from(text)),
        (error) => error instanceof StillageError && error.code === "invalid" && error.message.includes(says),
        says,
      );
    }
  });
});
