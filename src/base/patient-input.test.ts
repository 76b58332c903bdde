import assert from "node:assert/strict";
import { test } from "node:test";
import { patientInput } from "./patient-input.ts";

test("what comes in time comes through", async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("one");
    yield Buffer.from("two");
  }
  const taken: string[] = [];
  for await (const piece of patientInput(pieces(), 60_000)) taken.push(Buffer.from(piece).toString());
  assert.deepEqual(taken, ["one", "two"]);
});

test("who says nothing any more is not waited for", async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("one");
    await new Promise(() => {});
  }
  const input = patientInput(pieces(), 1);
  assert.equal((await input.next()).done, false);
  await assert.rejects(input.next(), { code: "deadline", message: "the pusher has said nothing for 0.001 s" });
});
