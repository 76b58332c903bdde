import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Digest } from "../../base/digest.ts";
import { digestFunctions, sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { ThreadLine } from "../../base/thread-line.ts";
import { blobBatchContract } from "../blob-batch.contract.ts";
import { blob, blobStoreContract, listOf, rejects } from "../blob-store.contract.ts";
import type { StoreUsage } from "../blob-store.ts";
import { refStoreContract } from "../ref-store.contract.ts";
import { DistantRefStore } from "./distant-ref-store.ts";
import { DistantStore } from "./distant-store.ts";
import { plainDigest } from "./plain.ts";
import type { RefAsks } from "./ref-desk.ts";
import type { StoreAsks } from "./store-desk.ts";

// The store is in a thread of its own, and the contract asks from here: across threads, as workers do.

const done = new Int32Array(new SharedArrayBuffer(4));
const { port1: here, port2: there } = new MessageChannel();
const thread = new Worker(new URL("./store-thread.fixture.ts", import.meta.url), {
  workerData: { done: done.buffer, port: there },
  transferList: [there],
});
after(() => thread.terminate());

/** Asks and waits, as administration is asked: without a turn of the event loop. */
function ask(what: string, of: number | undefined, args: unknown[], transfer: MessagePort[] = []): unknown {
  const before = Atomics.load(done, 0);
  here.postMessage({ ask: what, of, args }, transfer);
  Atomics.wait(done, 0, before, 20_000);
  const answer = receiveMessageOnPort(here);
  assert.ok(answer, `the thread answers ${what}`);
  return answer.message;
}

function openBlobs(quota?: number) {
  const { port1, port2 } = new MessageChannel();
  const number = ask("blobs", undefined, [port2, quota], [port2]) as number;
  const line = new ThreadLine<StoreAsks>(port1, {});
  return {
    store: new DistantStore(line).tenant("main"),
    line,
    ask: (what: string, ...args: unknown[]) => ask(what, number, args),
    admin: {
      usage: () => ask("usage", number, []) as StoreUsage,
      removals: () => ask("removals", number, []) as number,
      close: async () => {},
    },
    remove: async (digest: Digest) => void ask("remove", number, [plainDigest(digest)]),
    [Symbol.asyncDispose]: async () => {
      await line.ask("dropSlab", 0); // whatever was only told has arrived by then
      port1.close();
      assert.equal(ask("close", number, []), 0, "nothing is lent any more");
    },
  };
}

blobStoreContract("in another thread", async ({ quota }) => openBlobs(quota));

blobBatchContract("in another thread", async ({ quota }) => openBlobs(quota));

refStoreContract("in another thread", () => {
  const time = new Float64Array(new SharedArrayBuffer(8));
  time[0] = 1000;
  const { port1, port2 } = new MessageChannel();
  const number = ask("refs", undefined, [port2, time.buffer], [port2]) as number;
  const line = new ThreadLine<RefAsks>(port1, {});
  const store = new DistantRefStore(line);
  store.close = async () => {
    port1.close();
    ask("close", number, []);
  };
  return {
    store,
    setTime: (now) => {
      time[0] = now;
    },
  };
});

it("looks up long lists, of every function, as it does short ones", async () => {
  await using test = openBlobs();
  for (const fn of digestFunctions) {
    const blobs = Array.from({ length: 301 }, (_, i) => blob(fn, 10 + i));
    await Promise.all(blobs.flatMap(({ digest, bytes }, i) => (i % 3 === 0 ? [] : [test.store.put(digest, bytes)])));
    const every3rd = blobs.flatMap((_, i) => (i % 3 === 0 ? [i] : []));
    assert.deepEqual(await test.store.missing(listOf(blobs.map(({ digest }) => digest))), every3rd);
  }
});

describe("a thread that ends", () => {
  it("leaves no room reserved, no file and no descriptor", async () => {
    await using test = openBlobs(10_000_000);
    const before = test.admin.usage();
    const kept = blob(sha256, 5000);
    await test.store.put(kept.digest, kept.bytes);
    const used = test.admin.usage();
    for (const size of [5000, 3_000_000]) {
      const { digest, bytes } = blob(sha256, size);
      const begun = await test.store.upload(digest);
      await begun.write(bytes.subarray(0, size / 2));
    }
    await test.store.open(kept.digest);
    assert.ok(test.admin.usage().bytes > used.bytes + 3_000_000);
    test.ask("end");
    assert.deepEqual(test.admin.usage(), used);
    assert.ok(used.bytes > before.bytes);
  });

  it("is told so by whoever it asks", async () => {
    await using test = openBlobs();
    const waiting = test.store.open(blob(sha256, 10).digest);
    test.line.close(new StillageError("unavailable", "the other thread has ended"));
    await rejects(Promise.resolve(waiting), "unavailable");
    await rejects(test.store.put(blob(sha256, 10).digest, new Uint8Array(10)), "invalid");
    const { digest, bytes } = blob(sha256, 10);
    await rejects(test.store.put(digest, bytes), "unavailable");
    test.line.ask = async () => undefined as never; // for disposal
  });
});
