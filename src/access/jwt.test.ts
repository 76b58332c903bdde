import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { silentLog } from "../base/log.ts";
import { JwtVerifier } from "./jwt.ts";
import { KeySet } from "./key-set.ts";

const issuer = "https://issuer.example";
const audience = "cache";

interface Key {
  readonly id: string;
  readonly secret: CryptoKey;
  readonly shown: JWK;
}

async function newKey(id: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  return { id, secret: privateKey, shown: { ...(await exportJWK(publicKey)), kid: id } };
}

let now: number;
const clock = (): number => now;

function sign(key: Key, claims: JWTPayload = {}): Promise<string> {
  const all = { iss: issuer, aud: audience, sub: "job", exp: now / 1000 + 60, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: "ES256", kid: key.id }).sign(key.secret);
}

let folder: string;
let first: Key;
let second: Key;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "stillage-keys-"));
  [first, second] = [await newKey("first"), await newKey("second")];
});
after(() => rm(folder, { recursive: true }));
beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
});

/** A verifier of one issuer, whose keys have been asked for. */
async function openVerifier(keys: string): Promise<JwtVerifier> {
  const keySet = new KeySet(keys, clock, silentLog);
  await keySet.load();
  await keySet.settled();
  return new JwtVerifier([{ issuer, audience, keys, keySet }], clock);
}

async function byFile(...keys: Key[]): Promise<JwtVerifier> {
  const file = join(folder, "keys.json");
  await writeFile(file, JSON.stringify({ keys: keys.map(({ shown }) => shown) }));
  return openVerifier(file);
}

describe("a JSON Web Token", () => {
  it("of a known issuer, for this cache, and not expired, gives its claims", async () => {
    const verifier = await byFile(first);
    assert.equal((await verifier.verify(await sign(first))).sub, "job");
    assert.equal((await verifier.verify(await sign(first, { aud: ["other", audience] }))).sub, "job");
  });

  it("is refused otherwise", async () => {
    const verifier = await byFile(first);
    const good = await sign(first);
    const [head = "", body = "", signature = ""] = good.split(".");
    const unsigned = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    const shared = new SignJWT({ iss: issuer, aud: audience, exp: now / 1000 + 60 }).setProtectedHeader({
      alg: "HS256",
    });
    for (const [name, token] of [
      ["another issuer", await sign(first, { iss: "https://other.example" })],
      ["another audience", await sign(first, { aud: "other" })],
      ["expired", await sign(first, { exp: now / 1000 - 60 })],
      ["no expiry", await sign(first, { exp: undefined as unknown as number })],
      ["not yet good", await sign(first, { nbf: now / 1000 + 60 })],
      ["an unknown key", await sign(second)],
      ["a known key's name", await sign({ ...second, id: "first" })],
      ["no signature", `${unsigned}.${body}.`],
      ["a shared secret", await shared.sign(Buffer.from(JSON.stringify(first.shown)))],
      ["a changed body", `${head}.${Buffer.from(JSON.stringify({ iss: issuer })).toString("base64url")}.${signature}`],
      ["no token", "a.b.c"],
      ["a token of null", `${head}.${Buffer.from("null").toString("base64url")}.${signature}`],
    ] as const) {
      await assert.rejects(verifier.verify(token), { code: "unauthenticated" }, name);
    }
  });

  it("that does not say by which key it is signed is tried with each that may be it", async () => {
    const verifier = await byFile(first, second);
    const claims = { iss: issuer, aud: audience, sub: "job", exp: now / 1000 + 60 };
    const nameless = (key: CryptoKey) => new SignJWT(claims).setProtectedHeader({ alg: "ES256" }).sign(key);
    assert.equal((await verifier.verify(await nameless(second.secret))).sub, "job");
    const stranger = await newKey("third");
    await assert.rejects(verifier.verify(await nameless(stranger.secret)), { code: "unauthenticated" });
  });

  it("needs a file of keys that is one", async () => {
    const file = join(folder, "bad.json");
    for (const text of ["", "{}", '{"keys":1}']) {
      await writeFile(file, text);
      const opened = openVerifier(file);
      await assert.rejects(opened, { code: "failed-precondition" }, text);
    }
    const absent = openVerifier(join(folder, "none"));
    await assert.rejects(absent, { code: "failed-precondition" });
  });
});

describe("keys at a URL", () => {
  let server: Server;
  let answer: { status: number; body: string };
  let asked: number;
  let url: string;

  before(async () => {
    server = createServer((_request, response) => {
      asked++;
      response.writeHead(answer.status, { location: "/elsewhere" }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  after(() => server.close());
  beforeEach(() => {
    asked = 0;
  });

  const shows = (...keys: Key[]): void => {
    answer = { status: 200, body: JSON.stringify({ keys: keys.map(({ shown }) => shown) }) };
  };
  const open = (): Promise<JwtVerifier> => openVerifier(url);

  it("are asked for once, and again where a token names another, but not for each", async () => {
    shows(first);
    const verifier = await open();
    await verifier.verify(await sign(first));
    assert.equal(asked, 1);
    shows(first, second);
    await assert.rejects(verifier.verify(await sign(second)), { code: "unauthenticated" });
    assert.equal(asked, 1, "too soon to ask again");
    now += 60_000;
    await verifier.verify(await sign(second));
    assert.equal(asked, 2);
  });

  it("that have changed are waited for by all who need them, and asked for once", async () => {
    shows(first);
    const verifier = await open();
    shows(first, second);
    now += 60_000;
    const tokens = await Promise.all(Array.from({ length: 5 }, () => sign(second)));
    const subjects = await Promise.all(tokens.map(async (token) => (await verifier.verify(token)).sub));
    assert.deepEqual([subjects, asked], [Array(5).fill("job"), 2]);
  });

  it("that were once known stay good while their issuer is away", async () => {
    shows(first);
    const verifier = await open();
    answer = { status: 500, body: "" };
    now += 3_600_000;
    await verifier.verify(await sign(first));
    await verifier.verify(await sign(first));
    assert.equal(asked, 2);
  });

  it("that were never known make a token a matter for later", async () => {
    for (const bad of [
      { status: 404, body: "" },
      { status: 302, body: "" },
      { status: 200, body: "no" },
      { status: 200, body: " ".repeat(2 << 20) },
    ]) {
      answer = bad;
      const verifier = await open();
      now += 10_000;
      const later = { code: "unavailable", retryAfterMs: 20_000 };
      await assert.rejects(verifier.verify(await sign(first)), later, JSON.stringify(bad.status));
      shows(first);
      now += 21_000;
      await verifier.verify(await sign(first));
    }
  });
});
