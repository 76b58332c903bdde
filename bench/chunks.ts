import { randomBytes } from "node:crypto";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "../src/base/clock.ts";
import { type Digest, digestOf } from "../src/base/digest.ts";
import { blake3, type ServedFunction, sha256 } from "../src/base/digest-function.ts";
import { DigestList } from "../src/base/digest-list.ts";
import { hashOf, runningHash } from "../src/base/hash.ts";
import { silentLog } from "../src/base/log.ts";
import { ChunkLists } from "../src/cache/chunk-lists.ts";
import { newCutter } from "../src/cache/chunking.ts";
import { Splices } from "../src/cache/splice.ts";
import { Splits } from "../src/cache/split.ts";
import { memoryTenant } from "../src/cache/tenant.fixture.ts";
import type { Tenant } from "../src/cache/tenant.ts";
import { openDiskStore } from "../src/store/disk/open-store.ts";
import { freshDirectory } from "./fresh-directory.ts";
import { describeMachine } from "./machine.ts";
import { renderTable } from "./table.ts";

/**
 * SHA-256 beside BLAKE3, and blobs in chunks, in the store without the network: `node bench/chunks.ts`. Each figure is the best of some passes;
 * of the event loop's delays it is the longest.
 */
const smallSizes = [100, 4096, 65_536];
const smallCount = 8000;
const inFlight = 256;
const largeBytes = 256 << 20;
const pieceBytes = 1 << 20;
const passes = 3;

const { signal } = new AbortController();
const figures = new Map<string, string[]>();
await using directory = await freshDirectory(process.env.TMPDIR ?? "/tmp");
const disk = await openDiskStore(directory.path, { durability: "on", clock: systemClock, log: silentLog });
await warmUp();
const bytes = randomBytes(largeBytes);
const functions = [sha256, blake3];

await row(
  "cut alone, MB/s",
  () => 0,
  async () => {
    const cutter = newCutter();
    for (let at = 0; at < bytes.length; ) at = cutter.cut(bytes, at, bytes.length);
    return bytes.length / 1e6;
  },
);
for (const size of smallSizes) {
  await row(
    `hash of ${size} bytes, thousands a second`,
    () => 0,
    async (fn) => {
      for (let i = 0; i < smallCount; i++) hashOf(fn, bytes.subarray(i * 97, i * 97 + size));
      return smallCount / 1000;
    },
  );
}
await row(
  "hash in pieces of 1 MiB, MB/s",
  () => 0,
  async (fn) => {
    const hash = runningHash(fn);
    for (let at = 0; at < bytes.length; at += pieceBytes) hash.update(bytes.subarray(at, at + pieceBytes));
    hash.digest("hex");
    return bytes.length / 1e6;
  },
);
for (const size of smallSizes) {
  const blobsOf = (fn: ServedFunction) =>
    Array.from({ length: smallCount }, (_, i) => {
      const data = bytes.subarray(i * 97, i * 97 + size);
      return { data, digest: digestOf(fn, data) };
    });
  await row(`put of ${size} bytes, thousands a second`, blobsOf, async (_, { blobs }, work) => {
    for (let i = 0; i < work.length; i += inFlight) {
      await Promise.all(work.slice(i, i + inFlight).map(({ data, digest }) => blobs.put(digest, data)));
    }
    return work.length / 1000;
  });
}
const whole = (fn: ServedFunction): Digest => digestOf(fn, bytes);
await row("upload of 256 MiB, MB/s", whole, async (_, tenant, digest) => upload(tenant, digest));
/** Delays of the event loop in splits and splices: the worst of all, and the worst 99th percentile. */
const delaysMs = { longest: 0, percentile99: 0 };
for (const [what, times] of [
  ["split of 256 MiB, MB/s", 1],
  ["the same, chunks there, list forgotten, MB/s", 2],
] as const) {
  await row(what, whole, async (_, tenant, digest, timed) => {
    await upload(tenant, digest);
    for (let time = 1; time < times; time++) await new Splits(new ChunkLists()).chunksOf(tenant, digest, signal);
    timed();
    await watched(() => new Splits(new ChunkLists()).chunksOf(tenant, digest, signal));
    return bytes.length / 1e6;
  });
}
await row("the same, list remembered, ms", whole, async (_, tenant, digest, timed) => {
  await upload(tenant, digest);
  const splits = new Splits(new ChunkLists());
  await splits.chunksOf(tenant, digest, signal);
  timed();
  const start = performance.now();
  await splits.chunksOf(tenant, digest, signal);
  return { ms: performance.now() - start };
});
await row("splice of 256 MiB, MB/s", whole, async (fn, tenant, digest, timed) => {
  const cutter = newCutter();
  const chunks = new DigestList(fn);
  for (let at = 0; at < bytes.length; ) {
    const end = cutter.cut(bytes, at, bytes.length);
    const chunk = bytes.subarray(at, end);
    chunks.push(digestOf(fn, chunk));
    await tenant.blobs.put(chunks.at(chunks.length - 1), chunk);
    at = end;
  }
  timed();
  await watched(() =>
    new Splices(new ChunkLists()).store(tenant, { blob: digest, chunks, cutByFastCdc: true }, signal),
  );
  return bytes.length / 1e6;
});
await disk.close();
console.log(`${describeMachine()}\n`);
const rows = [...figures].map(([what, values]) => [what, ...values]);
console.log(renderTable([["", ...functions.map(({ name }) => name)], ...rows], "markdown"));
console.log(
  `\nevent loop in splits and splices: 99 % of delays below ${delaysMs.percentile99.toFixed(1)} ms, the longest ${delaysMs.longest.toFixed(1)} ms`,
);

/** Measures what `work` does of its unit in each pass, from its start or from the call of `timed`; each pass has a fresh tenant. */
async function row<T>(
  what: string,
  prepare: (fn: ServedFunction) => T,
  work: (fn: ServedFunction, tenant: Tenant, prepared: T, timed: () => void) => Promise<number | { ms: number }>,
): Promise<void> {
  const values: string[] = [];
  for (const fn of functions) {
    const prepared = prepare(fn);
    let best: number | undefined;
    for (let pass = 0; pass < passes; pass++) {
      const name = `${what} ${fn.name} ${pass}`.replaceAll(/\W/g, "-");
      const tenant = { ...memoryTenant(name), blobs: disk.tenant(name) };
      let start = performance.now();
      const done = await work(fn, tenant, prepared, () => {
        start = performance.now();
      });
      const seconds = (performance.now() - start) / 1000;
      if (typeof done === "number") best = Math.max(best ?? 0, done / seconds);
      else best = Math.min(best ?? Number.POSITIVE_INFINITY, done.ms);
    }
    values.push(String(Number((best ?? 0).toPrecision(3))));
  }
  figures.set(what, values);
}

async function watched(work: () => Promise<unknown>): Promise<void> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await work();
  delays.disable();
  delaysMs.longest = Math.max(delaysMs.longest, delays.max / 1e6);
  delaysMs.percentile99 = Math.max(delaysMs.percentile99, delays.percentile(99) / 1e6);
}

async function upload({ blobs }: Tenant, digest: Digest): Promise<number> {
  const running = await blobs.upload(digest);
  for (let at = 0; at < bytes.length; at += pieceBytes) await running.write(bytes.subarray(at, at + pieceBytes));
  await running.finish();
  return bytes.length / 1e6;
}

/** Uses memory for files before it counts: a virtual machine gets memory that it never used slowly. */
async function warmUp(): Promise<void> {
  const path = join(directory.path, "..", "warm-up");
  await writeFile(path, Buffer.alloc(1 << 30, 1));
  await unlink(path);
}
