import assert from "node:assert/strict";
import { test } from "node:test";
import { Readiness } from "./readiness.ts";

test("tells everyone who waits of a change, once", async () => {
  const readiness = new Readiness();
  const { signal } = new AbortController();
  const waiting = [readiness.change(signal), readiness.change(signal)];
  readiness.set(false);
  readiness.set(true);
  await Promise.all(waiting);
  assert.equal(readiness.ready, true);
});

test("nobody waits beyond his call", async () => {
  const readiness = new Readiness();
  const call = new AbortController();
  const waiting = readiness.change(call.signal);
  call.abort(new Error("gone"));
  await assert.rejects(waiting, /gone/);
  await assert.rejects(readiness.change(call.signal), /gone/);
});
