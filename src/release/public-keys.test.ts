import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { StillageError } from "../base/errors.ts";
import { publicKeyText } from "../ostree/ed25519-files.ts";
import { addKeys, removeKey } from "./key-files.ts";
import { ed25519KeyId, publicKeyOfPem, publicKeyPem } from "./key-id.ts";
import { checkKeyName, ed25519Public, ownName, parseKeys, readKeyDirectory } from "./public-keys.ts";
import { testKey } from "./signing.fixture.ts";

const key = { bytes: testKey(1).bytes };
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

describe("public keys", () => {
  it("are read from the forms of ostree and of openssl", async () => {
    const own = ed25519Public("robot", key);
    const line = publicKeyText(key);
    for (const text of [`${line}\n`, line, `# robot\n\n${line}\n`, publicKeyPem(key)]) {
      assert.deepEqual(await parseKeys("robot", bytes(text)), [own], text);
    }
    assert.equal((await parseKeys("two", bytes(`${line}\n${publicKeyText(testKey(2))}\n`))).length, 2);
    assert.deepEqual(publicKeyOfPem(publicKeyPem(key).replaceAll("\n", "\r\n")), key);
  });

  it("have the id that openssl and sha256sum print", () => {
    // openssl pkey -pubin -in KEY.pem -outform DER | sha256sum, of the key in the test vectors of OSTree.
    const known = Buffer.from("RgDiq5LzAzpOMF9ArE0FqBI0My86HpPjtJsPigPBzgM=", "base64");
    assert.equal(ed25519KeyId({ bytes: known }), "5ab875ba352f105fd83ecd189a13860553930fe4be87d9dd89e108d7c581f038");
  });

  it("are refused where they are none", async () => {
    const line = publicKeyText(key);
    const secret = Buffer.concat([testKey(1).seed, key.bytes]).toString("base64");
    const bad = [
      "",
      "\n",
      line.slice(1),
      `${line}x`,
      secret,
      publicKeyPem(key).replace("MC", "MD"),
      "-----BEGIN PUBLIC KEY-----",
    ];
    for (const text of bad)
      await assert.rejects(parseKeys("x", bytes(text)), { code: "invalid" }, JSON.stringify(text));
    for (const name of ["", ".x", "a/b", "-a", "a b", "x.pem", "é", "a".repeat(101)]) {
      assert.throws(() => checkKeyName(name), StillageError, name);
    }
    assert.equal(checkKeyName("Jane_1+x@example.org"), "Jane_1+x@example.org");
  });

  it("of GPG are called by their address, and by their fingerprint where that names nobody", () => {
    const gpg = (user: string) =>
      ownName({ kind: "gpg", name: "file", id: "ABCD", fingerprints: [], user, keyring: Buffer.of() });
    assert.deepEqual(["John <john@example.org>", "john@example.org", "<>", "John Doe"].map(gpg), [
      ...["john@example.org", "john@example.org", "abcd", "abcd"],
    ]);
    assert.equal(ownName(ed25519Public("robot", key)), "robot");
  });

  it("are added, listed and taken away with both of their files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stillage-keys-"));
    try {
      const two = [ed25519Public("b", key), ed25519Public("a", testKey(2))];
      assert.deepEqual(await addKeys(folder, two), ["b", "a"]);
      assert.deepEqual(await addKeys(folder, [ed25519Public("again", key)]), []);
      const names = async (): Promise<string[]> => (await readKeyDirectory(folder)).map(({ name }) => name);
      assert.deepEqual(await names(), ["a", "b"]);
      await removeKey(folder, "a");
      assert.deepEqual((await readdir(folder)).sort(), ["b.ed25519", "b.pem"]);
      await assert.rejects(removeKey(folder, "a"), { code: "not-found", hint: "there is b" });
      await writeFile(join(folder, "c.ed25519"), "no key");
      await assert.rejects(names(), { code: "invalid", message: /c.ed25519: line 1/ });
      assert.deepEqual(await readKeyDirectory(join(folder, "absent")), []);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
