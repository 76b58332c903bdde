import assert from "node:assert/strict";
import { test } from "node:test";
import { StillageError } from "../../base/errors.ts";
import type { Place } from "../place.ts";
import { memoryPlace } from "../transfer/memory-place.fixture.ts";
import { type ItemOutcome, nothingDone } from "../transfer/transfer-outcome.ts";
import { saveAfter } from "./saved-places.ts";

const outcome = (name: string, result: ItemOutcome["result"]): ItemOutcome => {
  return { name, result, place: "x.tar", blobs: 3, bytes: 30, notes: [], error: undefined };
};

/** What is told, and when, of a run in which one was copied and one was there. */
async function toldOf(places: readonly Place[], copies: boolean) {
  const told: string[] = [];
  const done = ({ name, result, error }: ItemOutcome) =>
    void told.push(`${name} ${result} ${error?.code ?? ""}`.trim());
  const saving = (place: string) => void told.push(`saving ${place}`);
  const summary = await saveAfter({ places, done, saving }, async (tell) => {
    if (copies) tell(outcome("new", "copied"));
    tell(outcome("old", "present"));
    return { ...nothingDone, results: { ...nothingDone.results, copied: copies ? 1 : 0, present: 1 } };
  });
  return { told, summary };
}

const saved = (save: () => Promise<void>): Place => ({ ...memoryPlace({ name: "x.tar" }), save });
const full = saved(async () => {
  throw new StillageError("exhausted", "the disk is full");
});

test("that something was copied is told once it is saved", async () => {
  const { told } = await toldOf([memoryPlace(), saved(async () => {})], true);
  assert.deepEqual(told, ["old present", "saving x.tar", "new copied"]);
  assert.deepEqual((await toldOf([memoryPlace()], true)).told, ["new copied", "old present"]);
});

test("what cannot be saved has failed, and so has the run", async () => {
  const { told, summary } = await toldOf([full], true);
  assert.deepEqual(told, ["old present", "saving x.tar", "new failed exhausted"]);
  assert.deepEqual([summary.results.copied, summary.results.failed, summary.error?.code], [0, 1, "exhausted"]);
  assert.equal((await toldOf([full], false)).summary.error?.code, "exhausted");
});
