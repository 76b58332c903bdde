import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Log } from "../base/log.ts";
import type { Peer } from "../base/peer.ts";
import { hashToken, newToken } from "./token.ts";
import { showTokens } from "./token-list.ts";
import { WatchedAccess } from "./watched-access.ts";

const peer: Peer = {
  address: "unix",
  host: "unix",
  network: "unix",
  local: true,
  push: true,
  tls: false,
  certificate: undefined,
};
const token = newToken();
const known = showTokens([{ name: "ci", sha256: hashToken(token), created: 0, expires: undefined }]);
const rules = "rights:\n- { who: { token: ci }, may: push }\n- { who: anyone, may: pull }\n";

let folder: string;
let access: string;
let said: string[];
let log: Log;
let watched: WatchedAccess;
let now: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stillage-watched-"));
  access = join(folder, "access.yaml");
  said = [];
  now = Date.UTC(2026, 0, 1);
  const say = (_fields: object, message: string): void => void said.push(message);
  log = { debug: say, info: say, warn: say, error: say };
});
afterEach(async () => {
  watched.close();
  await rm(folder, { recursive: true });
});

const open = async (): Promise<void> => {
  watched = await WatchedAccess.open(access, () => now, log);
};
const mayPush = async (secret: string): Promise<boolean> =>
  (await watched.authenticate(peer)(`Bearer ${secret}`)).may("push", "");

describe("rights that are watched", () => {
  it("follow every file that is named, and only when one has changed", async () => {
    await writeFile(access, `tokens: tokens\n${rules}`);
    await writeFile(join(folder, "tokens"), "");
    await open();
    await assert.rejects(mayPush(token), { code: "unauthenticated" });
    await watched.look();
    assert.deepEqual(said, []);
    await writeFile(join(folder, "tokens"), known);
    await watched.look();
    assert.equal(await mayPush(token), true);
    assert.deepEqual(said, ["rights were read anew"]);
  });

  it("stay as they were while a file is wrong, which is said once, and are tried again until it is mended", async () => {
    await writeFile(access, `tokens: tokens\n${rules}`);
    await writeFile(join(folder, "tokens"), known);
    await open();
    await writeFile(access, `tokens: others\n${rules}`);
    await writeFile(join(folder, "others"), "rubbish\n");
    await watched.look();
    await watched.look();
    assert.deepEqual(said, ["rights stay as they were: what is in the files is wrong"]);
    assert.equal(await mayPush(token), true);
    await writeFile(join(folder, "others"), "");
    await watched.look();
    await assert.rejects(mayPush(token), { code: "unauthenticated" });
  });

  it("are read again when who may read a file has changed", async () => {
    await writeFile(access, `tokens: tokens\n${rules}`);
    await writeFile(join(folder, "tokens"), known);
    await open();
    await chmod(join(folder, "tokens"), 0o600);
    await watched.look();
    assert.deepEqual(said, ["rights were read anew"]);
  });

  it("begin and change without waiting for issuers, whose keys are kept", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const keys = JSON.stringify({ keys: [await exportJWK(publicKey)] });
    let answering = true;
    const server: Server = createServer((_request, response) => {
      if (answering) response.end(keys);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const jwt = `jwt:\n- { issuer: i, audience: a, keys: "${url}" }\n`;
      const forJobs = "- { who: { jwt: { iss: i } }, may: push }\n";
      await writeFile(access, `tokens: tokens\n${jwt}${rules}${forJobs}`);
      await writeFile(join(folder, "tokens"), known);
      await open();
      const claims = { iss: "i", aud: "a", exp: now / 1000 + 3600 };
      const job = await new SignJWT(claims).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
      assert.equal(await mayPush(job), true);
      answering = false;
      now += 1_200_000; // the keys are old: they are asked for again, and nobody answers
      await writeFile(join(folder, "tokens"), "");
      await watched.look();
      await assert.rejects(mayPush(token), { code: "unauthenticated" });
      assert.equal(await mayPush(job), true);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
