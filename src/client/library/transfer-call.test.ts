import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ByteBudget } from "../transfer/byte-budget.ts";
import { nothingDone } from "../transfer/transfer-outcome.ts";
import { type QueueWork, runQueue } from "../transfer/transfer-queue.ts";
import type { TransferCallOptions } from "./call-options.ts";
import type { TransferContext } from "./named-transfers.ts";
import { transferCall } from "./transfer-call.ts";

const error = new Error("thrown by the caller's function");
const failing = (): never => {
  throw error;
};

const work: QueueWork<string> = {
  name: (item) => item,
  work: async (name) => ({ name, result: "copied", place: undefined, notes: [], error: undefined }),
};

/** Items of which the second does not come before the work is stopped. */
async function* slowly(signal: AbortSignal): AsyncGenerator<string> {
  yield "first";
  if (!signal.aborted) await once(signal, "abort");
  yield "second";
}

/** Copies them as a call of the library. */
function copying(options: TransferCallOptions, begun: (context: TransferContext) => void = () => {}) {
  const places = { signal: (own?: AbortSignal) => own ?? new AbortController().signal } as TransferContext["places"];
  return transferCall("the copy", { places, ofElements: undefined }, options, (context) => {
    begun(context);
    const { signal, done, progress } = context;
    const shared = { width: 4, retries: 0, optional: "none", budget: new ByteBudget(1) } as const;
    return runQueue(slowly(signal), work, { ...shared, signal, done, progress });
  });
}

test("an error of onItem, while the list is waited for, stops the transfer and is its error", async () => {
  const told: string[] = [];
  const onItem = ({ name }: { name: string }): never => {
    told.push(name);
    return failing();
  };
  await assert.rejects(copying({ onItem }), (thrown) => thrown === error);
  assert.deepEqual(told, ["first"]);
});

test("so does one of onProgress, at any time", async ({ mock }) => {
  mock.timers.enable({ apis: ["setInterval"] });
  const call = copying({ onProgress: failing }, () => queueMicrotask(() => mock.timers.tick(250)));
  await assert.rejects(call, (thrown) => thrown === error);
  const places = { signal: () => new AbortController().signal } as unknown as TransferContext["places"];
  const atTheEnd = transferCall(
    "nothing",
    { places, ofElements: undefined },
    { onProgress: failing },
    async () => nothingDone,
  );
  await assert.rejects(atTheEnd, (thrown) => thrown === error);
});

test("a queue whose outcomes cannot be told begins nothing more, and fails", async () => {
  const stop = new AbortController();
  const begun: string[] = [];
  const slow: QueueWork<string> = {
    ...work,
    work: async (name, progress) => {
      begun.push(name);
      return work.work(name, progress);
    },
  };
  const shared = { width: 4, retries: 0, optional: "none", budget: new ByteBudget(1) } as const;
  const done = (): never => {
    setImmediate(() => stop.abort());
    return failing();
  };
  const { signal } = new AbortController();
  await assert.rejects(runQueue(slowly(stop.signal), slow, { ...shared, signal, done }), (thrown) => thrown === error);
  assert.deepEqual(begun, ["first"]);
});
