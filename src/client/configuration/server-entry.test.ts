import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { type RemoteAuth, type RemoteConnection, remoteTypes } from "../remote-spec.ts";
import { remoteIdentity } from "./choose-remotes.ts";
import { configuredFolder } from "./configuration.fixture.ts";
import { serverEntry } from "./server-entry.ts";

const word = fc.stringMatching(/^[a-z0-9 #:'"-]{0,8}$/).map((text) => text.trim());
const path = fc.option(
  word.map((text) => `/certificates/${text}x`),
  { nil: undefined },
);
const count = fc.option(fc.integer({ min: 1, max: 86_400 }), { nil: undefined });
const auth: fc.Arbitrary<RemoteAuth> = fc
  .record({ serverCert: path, clientCert: path, clientKey: path, accessToken: path, accessTokenReloadMinutes: count })
  // They stand together.
  .map((each) => (each.clientCert && each.clientKey ? each : { ...each, clientCert: undefined, clientKey: undefined }));
const connection: fc.Arbitrary<RemoteConnection> = fc.record({
  ...{ keepaliveSeconds: count, requestTimeoutSeconds: count },
  ...{ retryLimit: fc.option(fc.nat(9), { nil: undefined }), retryDelayMs: fc.option(fc.nat(9), { nil: undefined }) },
});
const spec = fc.record({
  ...{ url: word.map((text) => `https://host/${text}`), type: fc.constantFrom(...remoteTypes), push: fc.boolean() },
  ...{ instanceName: word, auth, connection },
});

test("an entry is read as the server that it was written of", (t) => {
  const folder = configuredFolder(t, { "home/.config/buildstream.conf": "" });
  fc.assert(
    fc.property(spec, (written) => {
      const remote = { ...written, name: "", origin: "" };
      const servers = [serverEntry(remote)];
      const text = stringify({ "source-caches": { servers } }, { aliasDuplicateObjects: false });
      writeFileSync(join(folder.path, "home/.config/buildstream.conf"), text);
      const configuration = folder.read({ dialect: "2" });
      assert.ok("sourceCaches" in configuration, text);
      const [found] = configuration.sourceCaches.used;
      assert.equal(found && remoteIdentity(found), remoteIdentity(remote));
    }),
    { numRuns: 50 },
  );
});
