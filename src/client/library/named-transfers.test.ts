import assert from "node:assert/strict";
import { test } from "node:test";
import { StillageError } from "../../base/errors.ts";
import type { Place } from "../place.ts";
import { memoryPlace } from "../transfer/memory-place.fixture.ts";
import { mirrorNamed, type TransferContext } from "./named-transfers.ts";
import { transferCall } from "./transfer-call.ts";

test("all places of a transfer are closed, whatever closing one of them says, and the first error is that of the call", async () => {
  const closed: string[] = [];
  const open = async (name: string): Promise<Place> => ({
    ...memoryPlace({ name }),
    async [Symbol.asyncDispose]() {
      closed.push(name);
      throw new StillageError("internal", `a thread of ${name} has failed`);
    },
  });
  const signal = (): AbortSignal => new AbortController().signal;
  const places = { configuration: { networkRetries: 0 }, open, signal } as unknown as TransferContext["places"];
  const mirror = transferCall("the mirror", { places, ofElements: undefined }, {}, (context) =>
    mirrorNamed(undefined, { from: "from", to: "to" }, context),
  );
  await assert.rejects(mirror, { code: "internal", message: "a thread of to has failed" });
  assert.deepEqual(closed, ["to", "from"]);
});
