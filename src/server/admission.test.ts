import assert from "node:assert/strict";
import { test } from "node:test";
import { openCallers } from "../access/granted-caller.ts";
import type { Caller } from "../base/caller.ts";
import type { Peer } from "../base/peer.ts";
import { Admission } from "./admission.ts";

const bound = { all: 4, client: 2 };
const bounds = { connections: bound, calls: bound, uploads: bound };
const at = (host: string, local = false): Peer => ({
  address: `${host}:1`,
  host,
  network: host,
  local,
  push: true,
  tls: true,
  certificate: undefined,
});
const nobody = openCallers.pushing;
const known = (name: string): Caller => ({ name, identified: true, may: () => true, isPublic: () => false });

test("a client has so many at a time, and all together so many; whoever is refused is told when to try again", () => {
  const admission = new Admission(bounds);
  const refused = { code: "unavailable", retryAfterMs: 1000 };
  const first = admission.call(at("a"), nobody);
  admission.call(at("a"), nobody);
  assert.throws(() => admission.call(at("a"), nobody), { ...refused, message: /^2 calls of one client/ });
  admission.call(at("b"), nobody);
  admission.call(at("c"), nobody);
  assert.throws(() => admission.call(at("d"), nobody), { ...refused, message: /^4 calls are/ });
  first.leave();
  first.leave();
  assert.equal(admission.current("calls"), 3, "leaving twice is leaving once");
  admission.call(at("a"), nobody);
  assert.equal(admission.refused("calls"), 2);
  assert.equal(admission.current("uploads"), 0);
});

test("who has shown who he is, is one client wherever he comes from; a proxy is not one", () => {
  const admission = new Admission(bounds);
  admission.upload({ peer: at("a"), caller: known("token ci") });
  admission.upload({ peer: at("b"), caller: known("token ci") });
  assert.throws(() => admission.upload({ peer: at("c"), caller: known("token ci") }), { code: "unavailable" });
  assert.throws(() => admission.upload({ peer: at("127.0.0.1", true), caller: known("token ci") }));
  admission.upload({ peer: at("a"), caller: nobody });

  const proxied = new Admission(bounds);
  for (let i = 0; i < 4; i++) proxied.connection(at("127.0.0.1", true));
  assert.throws(() => proxied.connection(at("127.0.0.1", true)), { code: "unavailable" });
});
