import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { noAuth, noConnection } from "../configuration/remote-entry.ts";
import { httpAccess } from "./http-access.ts";

test("a token goes to the server that is configured, and to no other port of its host", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "stillage-access-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const accessToken = join(folder, "token");
  writeFileSync(accessToken, "secret\n");
  const shown = (configured: string, url: string): boolean => {
    const spec = { name: configured, url: configured, type: "all", push: true, instanceName: "" } as const;
    const auth = { ...noAuth, accessToken };
    return httpAccess({ ...spec, auth, connection: noConnection, origin: "" }, new URL(url)).headers !== undefined;
  };
  const cases = [
    ["https://cache", "https://cache/repo/", true],
    ["https://cache", "https://cache:443/", true],
    ["https://cache:8443", "https://cache:8443/", true],
    ["https://cache", "https://cache:8443/", false],
    ["https://cache", "https://cache.evil/", false],
    ["ssh://me@cache:2222/", "https://cache/repo/", true],
    ["ssh://me@cache:2222/", "https://cache:8443/repo/", false],
  ] as const;
  for (const [configured, url, expected] of cases)
    assert.equal(shown(configured, url), expected, `${configured} ${url}`);
});
