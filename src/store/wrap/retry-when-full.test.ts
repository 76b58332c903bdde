import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { batchOf } from "../batch.fixture.ts";
import type { BlobStore } from "../blob-store.ts";
import { retryWhenFull } from "./retry-when-full.ts";

const bytes = Buffer.from("too much");
const digest = digestOf(sha256, bytes);

/** A store in which nothing fits, or that fails with another code. */
function refusing(code: "exhausted" | "invalid"): BlobStore {
  const refuse = (): Promise<never> => Promise.reject(new StillageError(code, "no"));
  return {
    missing: () => [0],
    sizeOf: () => undefined,
    sizesOf: () => new Float64Array(1).fill(-1),
    open: () => undefined,
    readBatch: () => ({ parts: [], bytes: 0, missing: [0], release: () => {} }),
    put: refuse,
    putBatch: async () => new Map([[0, new StillageError(code, "no")]]),
    upload: async () => ({
      digest,
      received: 3,
      write: refuse,
      rest: async () => {},
      finish: refuse,
      abort: async () => {},
    }),
  };
}

test("a full store is unavailable for a while", async () => {
  const store = retryWhenFull(refusing("exhausted"));
  const unavailable = { code: "unavailable", message: "no", retryAfterMs: 1000 };
  await assert.rejects(store.put(digest, bytes), unavailable);
  const failures = await store.putBatch(batchOf([{ digest, bytes }]));
  assert.deepEqual(
    Array.from(failures, ([i, error]) => [i, error instanceof StillageError && error.code]),
    [[0, "unavailable"]],
  );
  const upload = await store.upload(digest);
  assert.equal(upload.received, 3);
  await assert.rejects(async () => upload.write(bytes), unavailable);
  await assert.rejects(upload.finish(), unavailable);
});

test("other errors stay what they are", async () => {
  const store = retryWhenFull(refusing("invalid"));
  await assert.rejects(store.put(digest, bytes), { code: "invalid", retryAfterMs: undefined });
  const failures = await store.putBatch(batchOf([{ digest, bytes }]));
  assert.equal((failures.get(0) as StillageError).code, "invalid");
});
