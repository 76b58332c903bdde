import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectSource } from "../ostree/archive/object-source.ts";
import { defaultReceiveLimits, type ReceiveLimits } from "../release/receive-limits.ts";
import { BoundedSource } from "./bounded-source.ts";

const plenty = Number.MAX_SAFE_INTEGER;
const object = `objects/ab/${"c".repeat(62)}.filez`;

function bounded(inner: ObjectSource, limits: Partial<ReceiveLimits>, free = plenty): BoundedSource {
  const bounds = { limits: { ...defaultReceiveLimits, ...limits }, freeBytes: async () => free };
  return new BoundedSource(() => inner, { ...bounds, signal: new AbortController().signal });
}

function source(limits: Partial<ReceiveLimits>, free = plenty): BoundedSource {
  const asked: number[] = [];
  async function* content(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(600);
    yield new Uint8Array(400);
  }
  const inner = {
    get: async (path: string, maxBytes: number) => {
      asked.push(maxBytes);
      return path === "absent" ? undefined : content();
    },
  };
  return bounded(inner, limits, free);
}

async function read(from: BoundedSource, path = object): Promise<number | undefined> {
  const content = await from.get(path, 5000);
  if (content === undefined) return undefined;
  let bytes = 0;
  for await (const piece of content) bytes += piece.length;
  return bytes;
}

test("objects and bytes are counted, and what is beyond a limit is refused", async () => {
  using all = source({ objects: 2, size: 3000 });
  assert.equal(await read(all, "summary"), 1000);
  assert.equal(await read(all, "absent"), undefined);
  assert.equal(await read(all), 1000);
  assert.equal(await read(all), 1000);
  assert.deepEqual([all.objects, all.bytes], [2, 3000]);
  await assert.rejects(read(all, "config"), { code: "exhausted", message: /more than 3000 bytes/ });
  await assert.rejects(read(all), { code: "exhausted", message: /more than 2 objects/ });
  using others = source({ objects: 2 });
  await read(others);
  others.checkPending(1);
  assert.throws(() => others.checkPending(2), { code: "exhausted" });
});

test("signatures stay with the pusher", async () => {
  using all = source({});
  assert.equal(await read(all, `objects/ab/${"c".repeat(62)}.commitmeta`), undefined);
  assert.equal(all.objects, 0);
});

test("a disk that is nearly full takes nothing", async () => {
  using full = source({ freeSpace: 1000 }, 1000);
  await assert.rejects(read(full), { code: "exhausted", message: /no room on the disk/ });
});

test("the disk is looked at again after many small objects, too", async () => {
  let free = plenty;
  const inner = { get: async () => [new Uint8Array(1)] as unknown as AsyncIterable<Uint8Array> };
  const bounds = { limits: defaultReceiveLimits, freeBytes: async () => free };
  using small = new BoundedSource(() => inner, { ...bounds, signal: new AbortController().signal });
  await read(small);
  free = 1000;
  const many = async (): Promise<void> => {
    for (let i = 0; i < 20_000; i++) await read(small);
  };
  await assert.rejects(many(), { code: "exhausted", message: /no room on the disk/ });
});

test("one object has a bound of its own", async () => {
  const asked: number[] = [];
  const inner = {
    get: async (_path: string, maxBytes: number) => {
      asked.push(maxBytes);
      return undefined;
    },
  };
  using small = bounded(inner, { objectSize: 100 });
  await small.get(object, 5000);
  await small.get(object, 50);
  await small.get("summary", 5000);
  assert.deepEqual(asked, [100, 50, 5000]);
});

test("what takes too long is ended, and what comes after is refused", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  using slow = source({ timeMs: 3_600_000 });
  t.mock.timers.tick(119_999);
  assert.equal(slow.signal.aborted, false);
  t.mock.timers.tick(1);
  assert.match(slow.signal.reason.message, /nothing came from the pusher for 120 s/);
  using long = source({ timeMs: 30_000 });
  t.mock.timers.tick(30_000);
  assert.match(long.signal.reason.message, /took longer than 30 s/);
  assert.throws(() => long.signal.throwIfAborted(), { code: "deadline" });
});
