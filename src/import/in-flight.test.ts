import assert from "node:assert/strict";
import { test } from "node:test";
import { InFlight } from "./in-flight.ts";

const piece = new Uint8Array(8 << 20);

test("what is on its way is bounded, at hand, and waited for", async () => {
  const inFlight = new InFlight();
  const writes: PromiseWithResolvers<void>[] = [];
  const add = (hash: string): Promise<void> => {
    const write = Promise.withResolvers<void>();
    writes.push(write);
    return inFlight.add(hash, piece, () => write.promise);
  };
  for (const hash of ["a", "b", "c", "d"]) await add(hash);
  let room = false;
  const fifth = add("e").then(() => {
    room = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(room, false);
  assert.equal(inFlight.get("a"), piece);
  writes[0]?.resolve();
  await fifth;
  assert.equal(inFlight.get("a"), undefined);
  let settled = false;
  const all = inFlight.settled().then(() => {
    settled = true;
  });
  for (const { resolve } of writes.slice(0, 4)) resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(settled, false);
  writes[4]?.resolve();
  await all;
});

test("a failure is told to whoever adds next, and to whoever waits", async () => {
  const inFlight = new InFlight();
  const failure = new Error("no room");
  await inFlight.add("a", piece, () => Promise.reject(failure));
  await assert.rejects(inFlight.settled(), failure);
  await assert.rejects(
    inFlight.add("b", piece, async () => {}),
    failure,
  );
  await assert.rejects(inFlight.settled(), failure);
});
