import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { StillageError } from "../../base/errors.ts";
import { httpAccess } from "../ostree/http-access.ts";
import { remoteAt } from "../remote-spec.fixture.ts";
import type { RemoteAuth } from "../remote-spec.ts";
import { openChannel } from "./channel.ts";

const folder = mkdtempSync(join(tmpdir(), "stillage-tls-files-"));
const path = (name: string): string => join(folder, name);
const openssl = (...words: readonly string[]): void => void execFileSync("openssl", words, { stdio: "ignore" });
const url = "https://localhost";

before(() => {
  for (const name of ["own", "other"]) {
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path(`${name}.key`)];
    openssl("req", "-x509", ...made, "-out", path(`${name}.crt`), "-subj", `/CN=${name}`, "-days", "2");
  }
  openssl("pkey", "-in", path("own.key"), "-aes256", "-passout", "pass:word", "-out", path("locked.key"));
  const cut = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  writeFileSync(path("cut.crt"), cut);
  copyFileSync(path("own.crt"), path("half.crt"));
  appendFileSync(path("half.crt"), cut);
  writeFileSync(
    path("own.pem"),
    Buffer.concat(["own.key", "own.crt", "other.crt"].map((name) => readFileSync(path(name)))),
  );
  writeFileSync(path("cut.key"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
});
after(() => rmSync(folder, { recursive: true }));

/** What both ways to a server say of such files; `undefined` where they are used. */
function told(auth: Partial<RemoteAuth>): string | undefined {
  const spec = remoteAt(url, { auth: { ...remoteAt(url).auth, ...auth } });
  const said = [() => openChannel(spec).destroy(), () => httpAccess(spec, new URL(url))].map((read) => {
    try {
      read();
      return undefined;
    } catch (error) {
      assert.ok(error instanceof StillageError && error.code === "invalid", String(error));
      return error.message.replaceAll(`${folder}/`, "");
    }
  });
  assert.equal(said[0], said[1]);
  return said[0];
}

const pair = (certificate: string, key: string) => told({ clientCert: path(certificate), clientKey: path(key) });

test("files that are what they are to be are used, also where others' certificates and the key are in the same one", () => {
  assert.equal(told({ serverCert: path("own.pem") }), undefined);
  assert.equal(pair("own.crt", "own.key"), undefined);
  assert.equal(pair("own.pem", "own.pem"), undefined);
});

test("what is wrong with a file of certificates is told with its name", () => {
  assert.match(
    told({ serverCert: path("own.key") }) ?? "",
    /: server-cert own\.key has no certificate in it, but a private key/,
  );
  assert.match(told({ serverCert: path("half.crt") }) ?? "", /: server-cert half\.crt cannot be used: /);
  assert.match(told({ serverCert: folder }) ?? "", /: server-cert .* cannot be read: EISDIR/);
});

test("what is wrong with our own certificate and key is told with their names", () => {
  assert.match(pair("own.crt", "other.key") ?? "", /: client-cert own\.crt and client-key other\.key are not a pair/);
  assert.match(pair("own.key", "own.crt") ?? "", /: client-cert own\.key has no certificate in it, but a private key/);
  assert.match(
    pair("own.crt", "other.crt") ?? "",
    /: client-key other\.crt has no private key in it, but a certificate/,
  );
  assert.match(pair("cut.crt", "own.key") ?? "", /: client-cert cut\.crt cannot be used: /);
  assert.match(pair("own.crt", "cut.key") ?? "", /: client-key cut\.key cannot be used: /);
  assert.match(pair("own.crt", "locked.key") ?? "", /: client-key locked\.key is encrypted/);
  assert.match(pair("own.crt", "none.key") ?? "", /: client-key none\.key cannot be read: ENOENT/);
});
