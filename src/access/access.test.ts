import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Peer } from "../base/peer.ts";
import type { Rule } from "../config/access.ts";
import { Access, type AccessState } from "./access.ts";
import { JwtVerifier } from "./jwt.ts";
import { Policy } from "./policy.ts";
import { hashToken, newToken } from "./token.ts";
import type { TokenEntry } from "./token-list.ts";

const peer: Peer = {
  address: "10.0.0.1:5",
  host: "10.0.0.1",
  network: "10.0.0.1",
  local: false,
  push: true,
  tls: true,
  certificate: undefined,
};
const everywhere = { repositories: ["*"], branches: ["*"] };
const rules: Rule[] = [
  { who: { kind: "anyone" }, may: ["pull"], instances: ["*"], ...everywhere },
  { who: { kind: "token", name: "ci" }, may: ["push"], instances: ["*"], ...everywhere },
  { who: { kind: "certificate", attributes: { CN: "box" } }, may: ["push"], instances: ["*"], ...everywhere },
];
const token = newToken();

let now: number;
const clock = (): number => now;

async function state(entry: Partial<TokenEntry> = {}, changed: Rule[] = rules): Promise<AccessState> {
  const entries = [{ name: "ci", sha256: hashToken(token), created: 0, expires: undefined, ...entry }];
  return {
    policy: new Policy(changed),
    tokens: new Map(entries.map((each) => [each.sha256, each])),
    jwt: new JwtVerifier([], clock),
  };
}

beforeEach(() => {
  now = 1_000_000;
});

describe("Access", () => {
  it("lets everybody in where there are no rules, and keeps writes to where pushes are taken", async () => {
    const access = new Access(undefined, clock);
    const pushing = await access.authenticate(peer)("Bearer whatever");
    assert.deepEqual([pushing.name, pushing.may("push", "any"), pushing.isPublic("any")], ["anonymous", true, true]);
    const pulling = await access.authenticate({ ...peer, push: false })("");
    assert.deepEqual(
      [pulling.may("push", ""), pulling.may("release", ""), pulling.may("pull", "")],
      [false, false, true],
    );
  });

  it("knows whom a program names that sshd has started, with rules and without", async () => {
    const open = await new Access(undefined, clock).authenticate(peer)("", "alice");
    assert.deepEqual([open.name, open.identified, open.may("push", "any")], ["ssh alice", true, true]);
    const push: Rule = { who: { kind: "ssh", name: "ci-*" }, may: ["push"], instances: ["*"], ...everywhere };
    const access = new Access(await state({}, [...rules, push]), clock);
    const identify = access.authenticate({ ...peer, tls: false });
    for (const [name, may] of [
      ["ci-1", true],
      ["alice", false],
      ["ci-2", true],
      [undefined, false],
    ] as const) {
      const caller = await identify("", name);
      assert.deepEqual([caller.name, caller.may("push", "")], [name === undefined ? "anonymous" : `ssh ${name}`, may]);
      assert.equal(await identify("", name), caller);
    }
  });

  it("knows callers by tokens and certificates, and those without either as anyone", async () => {
    const access = new Access(await state(), clock);
    const certificate = { subject: new Map([["CN", ["box"]]]), fingerprint: "00" };
    for (const [from, authorization, name, push] of [
      [peer, "", "anonymous", false],
      [peer, `Bearer ${token}`, "token ci", true],
      [peer, `Basic ${Buffer.from(`x:${token}`).toString("base64")}`, "token ci", true],
      [{ ...peer, push: false }, `Bearer ${token}`, "token ci", false],
      [{ ...peer, certificate }, "", "certificate CN=box", true],
      [{ ...peer, tls: false, local: true }, `Bearer ${token}`, "token ci", true],
    ] as const) {
      const caller = await access.authenticate(from)(authorization);
      assert.deepEqual([caller.name, caller.may("push", ""), caller.identified], [name, push, name !== "anonymous"]);
    }
  });

  it("refuses what is not known, also where anyone may pull", async () => {
    const access = new Access(await state(), clock);
    const identify = access.authenticate(peer);
    for (const authorization of [`Bearer ${newToken()}`, "Bearer nonsense", "Bearer a.b.c", "Digest x", "Bearer"]) {
      await assert.rejects(async () => identify(authorization), { code: "unauthenticated" }, authorization);
    }
  });

  it("refuses a good token that others may have read on its way", async () => {
    const access = new Access(await state(), clock);
    const identify = access.authenticate({ ...peer, tls: false });
    await assert.rejects(async () => identify(`Bearer ${token}`), /not encrypted/);
    assert.equal((await identify("")).name, "anonymous");
  });

  it("notices on an open connection that a token expired, was revoked, or has other rights", async () => {
    const access = new Access(await state({ expires: now + 1000 }), clock);
    const identify = access.authenticate(peer);
    const ask = async () => identify(`Bearer ${token}`);
    const first = await ask();
    assert.equal(first.may("push", ""), true);
    assert.equal(await ask(), first, "what is known is not found out again");
    now += 1000;
    await assert.rejects(ask, /expired on 1970-01-01T00:16:41.000Z/);

    access.state = await state();
    assert.equal((await ask()).may("push", ""), true);
    access.state = await state({}, rules.slice(0, 1));
    assert.equal((await ask()).may("push", ""), false);
    access.state = await state({ sha256: hashToken("other") });
    await assert.rejects(ask, { code: "unauthenticated" });
  });
});
