import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { digestOf, sameDigest } from "../../src/base/digest.ts";
import { silentLog } from "../../src/base/log.ts";
import { Closure } from "../../src/cache/closure.ts";
import { type OpenCache, openCache } from "../../src/cache/open-cache.ts";
import { StoppableSlices } from "../../src/expiry/slices.ts";
import { sweep } from "../../src/expiry/sweep.ts";
import { SweepClock } from "../../src/expiry/sweep-clock.ts";
import { temporaryDirectory } from "./store-blobs.ts";
import { keyOf, resultCount } from "./sweep-results.ts";

/** What a sweep is to leave of the bytes. */
const part = 0.1;

const steps: readonly [step: string, times: number][] = [
  ["sweep planned", 1],
  ["sweep marked", 1],
  ["refs evicted", 1],
  ["refs evicted", 2],
  ["blobs swept", 1],
  ["sweep compacted", 1],
];

const clock = (): number => 1_000_100_000 * 1000;

describe("a sweep whose process is killed", { concurrency: 2 }, () => {
  for (const [step, times] of steps) {
    it(`at "${step}", ${times}, has lost only what had to go, and what is there is whole`, async () => {
      await using directory = await temporaryDirectory();
      assert.equal(await runWriter(directory.path, step, times), "SIGKILL");
      const cache = await openCache(directory.path, {
        quota: 64 << 20,
        durability: "on",
        leaseMs: 0,
        clock,
        log: silentLog,
      });
      try {
        const there = await check(cache);
        const chosen = !["sweep planned", "sweep marked"].includes(step);
        assert.equal(there.length < resultCount, chosen, `${there.length} are there`);
        await sweepAgain(cache);
        assert.ok((await check(cache)).length > 0);
      } finally {
        await cache.close();
      }
    });
  }
});

async function runWriter(directory: string, step: string, times: number): Promise<unknown> {
  const words = [join(import.meta.dirname, "sweep-writer.ts"), directory, String(part), step, String(times)];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
  const [, signal] = await once(child, "exit");
  return signal;
}

/** Every ref that is there is served with all that it needs; those that are gone are the oldest. Gives the numbers of the refs. */
async function check(cache: OpenCache): Promise<number[]> {
  const names = new Set([...cache.refAdmin.list({})].map(({ name }) => name));
  const there = Array.from({ length: resultCount }, (_, i) => i).filter((i) => names.has(`sha256/${keyOf(i).hash}`));
  assert.equal(there[0], resultCount - there.length, "the oldest are gone, and no others");
  const census = cache.store.census();
  for (const { shelves, reader } of census.tenants) {
    // As a client would be served, but without a use of anything.
    const closure = new Closure(reader, () => cache.store.removals());
    for (const { id, name } of cache.refAdmin.list({})) {
      for (const { roots } of cache.refAdmin.rootsOf([id])) assert.ok(await closure.complete([...roots]), name);
    }
    for (const shelf of shelves) {
      for (let n = 0; n < shelf.top; n++) {
        if (!shelf.has(n)) continue;
        const digest = shelf.digest(n);
        const blob = await reader.open(digest);
        assert.ok(blob);
        const bytes = new Uint8Array(digest.size);
        await blob.read(bytes, 0);
        blob.close();
        assert.ok(sameDigest(digestOf(digest.function, bytes), digest));
      }
    }
  }
  census.close();
  return there;
}

/** The next sweep removes what the one that was killed left, and what is there stays whole. */
async function sweepAgain({ store, refAdmin }: OpenCache): Promise<void> {
  const { signal } = new AbortController();
  const now = (): number => clock() + 1_000_000;
  await sweep({
    blobs: store,
    refs: refAdmin,
    settings: { lease: 0, maxAge: undefined, limits: [] },
    leave: Math.floor(store.usage().live * 0.9),
    clock: new SweepClock({ wall: now, monotonic: now, leaseMs: 0 }),
    slices: new StoppableSlices(signal),
    signal,
    reach: () => {},
  });
}
