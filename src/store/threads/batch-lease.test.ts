import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { sha256 } from "../../base/digest-function.ts";
import { entryLength, writeHead } from "../batch-entry.ts";
import { blob, listOf } from "../blob-store.contract.ts";
import { BatchFiller, type BatchPlan, type Run, type RunFiles } from "../disk/batch-filler.ts";
import { OpenPacks } from "../disk/open-packs.ts";
import type { Pack } from "../disk/pack.ts";
import { ReadBuffers } from "../disk/read-buffers.ts";
import { ReadPace } from "../disk/read-pace.ts";
import { BatchLease, filesOfPlan, maxLentPacks, planOfPlain } from "./batch-lease.ts";

const directory = mkdtempSync(join(tmpdir(), "packs-"));
after(() => rmSync(directory, { recursive: true }));

/** More than are held open for reading. */
const blobs = Array.from({ length: 300 }, (_, i) => blob(sha256, 100 + i));
const digests = listOf(blobs.map(({ digest }) => digest));

/** Each blob in a pack of its own. */
const packs = blobs.map(({ bytes }, i) => {
  const path = join(directory, `${i}.pack`);
  const entry = Buffer.alloc(entryLength(sha256, bytes.length));
  entry.set(bytes, writeHead(entry, 0, sha256, digests.words, i * sha256.words, bytes.length));
  writeFileSync(path, entry);
  return { path, reading: { fd: -1, users: 0, last: 0, holders: 0, settled: undefined } } as Pack;
});

function loan(openPacks: OpenPacks) {
  let bytes = 0;
  const runs = packs.map((pack, i): Run<Pack> => {
    const at = bytes;
    bytes += entryLength(sha256, blobs[i]?.bytes.length ?? 0);
    return { pack, i, offset: 0, at, end: bytes };
  });
  const plan: BatchPlan<Pack> = { runs, bytes, missing: [] };
  const files: RunFiles<Pack> = {
    acquire: (pack) => openPacks.acquire(pack),
    release: (pack) => openPacks.release(pack),
    hold: (pack) => openPacks.hold(pack),
    letGo: (pack) => openPacks.letGo(pack),
    open: () => assert.fail("none is a file"),
    close: () => assert.fail("none is a file"),
    discard: (_, i) => assert.fail(`${i} lies where it should`),
  };
  return { plan, files };
}

const openNow = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      return false; // that of the listing itself
    }
  }).length;

const inUse = (): number => packs.reduce((sum, { reading }) => sum + reading.users + reading.holders, 0);

it("lends some of the packs of a batch at once, and the others as they are read", async () => {
  const openPacks = new OpenPacks();
  const lease = new BatchLease(loan(openPacks), digests);
  assert.equal(openNow(), maxLentPacks);
  assert.ok(
    packs.every(({ reading }) => reading.users + reading.holders === 1),
    "all stay in their places",
  );
  const plan = planOfPlain(lease.lend(1));
  const files = filesOfPlan(plan, {
    open: (run) => lease.open(run),
    close: (fd) => lease.close(fd),
    discard: (i, run, offset) => lease.discard(i, run, offset),
  });
  const filler = new BatchFiller(new ReadPace(() => 0), new ReadBuffers());
  const read = await filler.fill(digests, plan, files);
  assert.deepEqual(read.missing, []);
  assert.equal(read.bytes, plan.bytes);
  const got = Buffer.concat(read.parts);
  for (const [i, { bytes }] of blobs.entries()) {
    const { end } = plan.runs[i] as Run<number>;
    assert.equal(Buffer.compare(got.subarray(end - bytes.length, end), bytes), 0);
  }
  read.release();
  await lease.open(299); // as by a thread that ends meanwhile
  lease.end();
  assert.equal(inUse(), 0);
  openPacks.closeAll();
  assert.equal(openNow(), 0);
});

it("keeps no more packs open than it should once many that were read at a time are not any more", () => {
  const openPacks = new OpenPacks();
  for (const pack of packs) openPacks.acquire(pack);
  assert.equal(openNow(), packs.length);
  for (const pack of packs) openPacks.release(pack);
  assert.equal(openNow(), 128);
  openPacks.closeAll();
});
