import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { areSignatures } from "./gpg-packets.ts";
import { exportPublicKey, findSecretKey, signWithGpg } from "./gpg-sign.ts";
import { GpgKeyring, type GpgVerifyOptions, verdictsIn } from "./gpg-verify.ts";
import { bytesOfHex, readJson } from "./vectors.fixture.ts";

const vector = readJson<{ ed25519: { signed_bytes: string }; gpg: { detached_binary_signature: string } }>("sign.json");
const signed = bytesOfHex(vector.ed25519.signed_bytes);
const signature = bytesOfHex(vector.gpg.detached_binary_signature);
const keyFile = join(import.meta.dirname, "../../test/fixtures/ostree/gpg-public-key.gpg");

/** Some time after the keys and the signature of the vectors were made. */
const later = 1_800_000_000;

/** When the keys of these tests are made. */
const at = 1_700_000_000;
const data = Buffer.from("what is signed");

async function verdicts(
  keys: Uint8Array,
  bytes: Uint8Array,
  blob: Uint8Array,
  options: GpgVerifyOptions = { at: at + 20 },
) {
  const keyring = await GpgKeyring.open(keys, options);
  try {
    return await keyring.verify(bytes, blob);
  } finally {
    await keyring.close();
  }
}

describe("gpg", () => {
  let homedir = "";
  let program = "";
  const gpg = (...args: string[]) =>
    execFileSync("gpg", ["--homedir", homedir, "--batch", "--quiet", ...args], { stdio: ["pipe", "pipe", "ignore"] });

  before(async () => {
    homedir = await mkdtemp(join(tmpdir(), "gpg-"));
    program = join(homedir, "gpg-then");
    await writeFile(program, `#!/bin/sh\nexec gpg --faked-system-time '${at + 10}!' "$@"\n`, { mode: 0o755 });
    // Otherwise the agent measures for seconds how much it can make guessing cost.
    await writeFile(join(homedir, "gpg-agent.conf"), "s2k-count 65536\n");
    const make = ["--pinentry-mode", "loopback", "--faked-system-time", `${at}!`];
    gpg(...make, "--passphrase", "", "--quick-gen-key", "Open <open@example.org>", "ed25519", "sign", "2d");
    gpg(...make, "--passphrase", "pass", "--quick-gen-key", "Locked <locked@example.org>", "ed25519", "sign", "never");
  });

  after(async () => {
    execFileSync("gpgconf", ["--homedir", homedir, "--kill", "all"]);
    await rm(homedir, { recursive: true, force: true });
  });

  it("verifies the signature of the real tool, with the key and with nothing else", async () => {
    const keys = await readFile(keyFile);
    const [good, ...more] = await verdicts(keys, signed, signature, { at: later });
    assert.deepEqual(more, []);
    assert.deepEqual(good, {
      state: "good",
      fingerprint: "D06FBD05FC815FA0BD0A1F1DD22DD6FA6181FDFF",
      user: "Vector Key <vector@example.org>",
      created: 1795226028,
    });
    assert.equal((await verdicts(keys, signed.subarray(1), signature, { at: later }))[0]?.state, "bad");
    assert.equal((await verdicts(keys, signed, signature.subarray(0, -3), { at: later }))[0]?.state, "unreadable");
  });

  it("signs so that it can be verified, until the key expires or is revoked", async () => {
    const { fingerprint, user } = await findSecretKey("open@example.org", { homedir, program });
    assert.equal(user, "Open <open@example.org>");
    const made = await signWithGpg(fingerprint, data, { homedir, program });
    const keys = await exportPublicKey(fingerprint, { homedir, program });
    const [good] = await verdicts(keys, data, made);
    assert.deepEqual(good, { state: "good", fingerprint, user, created: at + 10 });
    assert.equal((await verdicts(keys, data, made, { at: at + 3 * 86_400 }))[0]?.state, "expired-key");
    const other = await readFile(keyFile);
    const unknown = { state: "unknown-key", fingerprint, user: undefined, created: at + 10 };
    assert.deepEqual(await verdicts(other, data, made, { at: later }), [unknown]);
    const twice = Buffer.concat([made, signature]);
    assert.deepEqual(
      (await verdicts(keys, data, twice)).map(({ state }) => state),
      ["good", "unknown-key"],
    );

    const revocation = join(homedir, "openpgp-revocs.d", `${fingerprint}.rev`);
    await writeFile(revocation, (await readFile(revocation, "utf8")).replace(":-----BEGIN", "-----BEGIN"));
    gpg("--faked-system-time", `${at}!`, "--import", revocation);
    const revoked = await exportPublicKey(fingerprint, { homedir, program });
    assert.equal((await verdicts(revoked, data, made))[0]?.state, "revoked-key");
  });

  it("says that a key is locked, and opens it with a passphrase from a file", async () => {
    execFileSync("gpgconf", ["--homedir", homedir, "--kill", "all"]);
    const options = { homedir, program };
    await assert.rejects(signWithGpg("locked@example.org", data, options), {
      code: "failed-precondition",
      message: /"locked@example.org" is locked/,
    });
    const passphraseFile = join(homedir, "passphrase");
    await writeFile(passphraseFile, "wrong\n");
    await assert.rejects(signWithGpg("locked@example.org", data, { ...options, passphraseFile }), /is locked/);
    await writeFile(passphraseFile, "pass\n");
    assert.ok(areSignatures(await signWithGpg("locked@example.org", data, { ...options, passphraseFile })));
  });

  it("says which key or program is not there", async () => {
    const failed = { code: "failed-precondition" };
    await assert.rejects(signWithGpg("nobody@example.org", data, { homedir }), { ...failed, message: /no secret key/ });
    await assert.rejects(findSecretKey("nobody@example.org", { homedir }), { ...failed, message: /no secret key/ });
    await assert.rejects(findSecretKey("example.org", { homedir }), { ...failed, message: /more than one/ });
    await assert.rejects(exportPublicKey("0".repeat(40), { homedir }), failed);
    const missing = { homedir, program: "/nonexistent/gpg" };
    await assert.rejects(signWithGpg("open@example.org", data, missing), {
      ...failed,
      message: /is not here/,
    });
    for (const key of ["", "--output=x", "a\nb"]) {
      await assert.rejects(signWithGpg(key, data, { homedir }), { code: "invalid" });
    }
  });

  it("takes no keyring without keys, and leaves nothing behind", async () => {
    const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("stillage-gpg-")).length;
    const count = await left();
    await assert.rejects(GpgKeyring.open(Buffer.from("no keys")), { code: "invalid" });
    assert.ok((await left()) <= count);
  });
});

describe("a signature", () => {
  const cases: [what: string, bytes: Uint8Array, are: boolean][] = [
    ["one", signature, true],
    ["two", Buffer.concat([signature, signature]), true],
    ["none", new Uint8Array(), false],
    ["a cut one", signature.subarray(0, -1), false],
    ["one in armor", Buffer.from("-----BEGIN PGP SIGNATURE-----"), false],
    ["a compressed message", Uint8Array.of(0xa3, 1, 2, 3), false],
    ["a signed message: one-pass signature first", Buffer.concat([Uint8Array.of(0x90, 0x01, 0), signature]), false],
    ["a new packet of a signature", Uint8Array.of(0xc2, 2, 0, 0), true],
    ["a new packet with a long length", Uint8Array.of(0xc2, 255, 0, 0, 0, 1, 0), true],
    ["a cut length", Uint8Array.of(0xc2, 255, 0), false],
    ["a length in parts", Uint8Array.of(0xc2, 0xe1, 0, 0), false],
  ];
  for (const [what, bytes, are] of cases) it(`${what}: ${are}`, () => assert.equal(areSignatures(bytes), are));

  it("that is good but not told to be valid is not good", () => {
    const good = [["NEWSIG"], ["GOODSIG", "0123456789ABCDEF", "Somebody"]];
    const key = "0".repeat(40);
    const valid = (kind: string) => ["VALIDSIG", key, "2023-11-14", "1700000000", "0", "4", "0", "22", "8", kind, key];
    assert.equal(verdictsIn(good)[0]?.state, "unreadable");
    assert.equal(verdictsIn([...good, valid("00")])[0]?.state, "good");
    // A signature of text is good for other bytes, too: those with other ends of lines.
    assert.equal(verdictsIn([...good, valid("01")])[0]?.state, "unreadable");
  });
});
