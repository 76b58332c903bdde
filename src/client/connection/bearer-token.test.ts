import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RemoteSpec } from "../remote-spec.ts";
import { bearerToken } from "./bearer-token.ts";

const folder = mkdtempSync(join(tmpdir(), "stillage-token-"));
after(() => rmSync(folder, { recursive: true }));

const path = join(folder, "token");
const specOf = (accessTokenReloadMinutes: number | undefined): RemoteSpec =>
  ({ name: "cache", auth: { accessToken: path, accessTokenReloadMinutes }, origin: "conf:3" }) as unknown as RemoteSpec;

test("a token is read again after its time, and kept where that fails", () => {
  let now = 0;
  writeFileSync(path, "  first\n");
  const headers = bearerToken(specOf(1), () => now);
  const kept = bearerToken(specOf(undefined), () => now);
  const at = (minutes: number): string | undefined => {
    now = minutes * 60_000;
    return headers?.().authorization;
  };
  assert.equal(at(0), "Bearer first");
  writeFileSync(path, "second");
  assert.equal(at(0.9), "Bearer first");
  assert.equal(at(1), "Bearer second");
  rmSync(path);
  assert.equal(at(2.5), "Bearer second");
  writeFileSync(path, "third");
  assert.equal(at(3), "Bearer second");
  assert.equal(at(3.5), "Bearer third");
  assert.equal(kept?.().authorization, "Bearer first");
});
