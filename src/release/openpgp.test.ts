import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { StillageError } from "../base/errors.ts";
import { keysOf, readOpenPgpSignatures } from "./openpgp.ts";

/** By GnuPG 2.2.40: `gpg --detach-sign`, Ed25519. */
const bytes = Buffer.from(
  "887504001608001d162104d06fbd05fc815fa0bd0a1f1dd22dd6fa6181fdff05026b00f9ac000a0910d22dd6fa6181fdff7a240100c0f6d0104f151dde349cffc3de42b69ad777e243c3927fe6da6fe4ffab6c886300fe3634a0c9bc9ef5d3d52ff11675e4351ca8314b7a638a1b83fc518e2412592e03",
  "hex",
);
const issuer = "D06FBD05FC815FA0BD0A1F1DD22DD6FA6181FDFF";

function armoured(of: Uint8Array): string {
  const lines =
    Buffer.from(of)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PGP SIGNATURE-----\nComment: one\n\n${lines.join("\n")}\n=AAAA\n-----END PGP SIGNATURE-----\n`;
}

describe("a detached OpenPGP signature", () => {
  test("says by which key it is", () => {
    assert.deepEqual(readOpenPgpSignatures(bytes), [{ bytes, issuer }]);
  });

  test("may be one of several in a file, or armoured", () => {
    const [one, two] = readOpenPgpSignatures(Buffer.concat([bytes, bytes]));
    assert.deepEqual([one?.bytes, two?.bytes, two?.issuer], [bytes, bytes, issuer]);
    for (const text of [armoured(bytes), armoured(bytes).replaceAll("\n", "\r\n")]) {
      assert.deepEqual(readOpenPgpSignatures(Buffer.from(text)), [{ bytes, issuer }]);
    }
    assert.equal(readOpenPgpSignatures(Buffer.from(armoured(bytes) + armoured(bytes))).length, 2);
  });

  test("is of a key of a keyring, which is read key by key", () => {
    const packet = (tag: number, byte: number) => Buffer.from([0xc0 | tag, 1, byte]);
    const [one, two] = [
      [packet(6, 1), packet(13, 1), packet(2, 1), packet(14, 1)],
      [packet(6, 2), packet(13, 2)],
    ];
    assert.deepEqual(keysOf(Buffer.concat([...one, ...two])), [Buffer.concat(one), Buffer.concat(two)]);
    assert.deepEqual(keysOf(Buffer.concat([packet(13, 1)])), []);
    assert.throws(() => keysOf(packet(6, 1).subarray(0, 2)), StillageError);
  });

  test("in the new form of packets, and with a key ID alone, is read as well", () => {
    const body = bytes.subarray(2);
    const fresh = Buffer.concat([Buffer.from([0xc2, body.length]), body]);
    assert.deepEqual(readOpenPgpSignatures(fresh), [{ bytes: fresh, issuer }]);
    // The fingerprint's subpacket becomes one of a type that nobody knows.
    const old = Buffer.from(bytes);
    old[old.indexOf(0x21)] = 100;
    assert.equal(readOpenPgpSignatures(old)[0]?.issuer, "D22DD6FA6181FDFF");
  });

  test("anything else is refused, and nothing else is thrown", () => {
    for (const bad of [[], [0x40], [0x88], [0x88, 200, 4], [0xc2, 255, 0], [0xc2, 230, 0], [0x99, 0, 0]]) {
      assert.throws(() => readOpenPgpSignatures(Uint8Array.from(bad)), StillageError, String(bad));
    }
    const damaged = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length));
    fc.assert(
      fc.property(damaged, ([at, value, length]) => {
        const copy = Buffer.from(bytes).subarray(0, length);
        copy[at] = value;
        try {
          readOpenPgpSignatures(copy);
        } catch (error) {
          assert.ok(error instanceof StillageError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
