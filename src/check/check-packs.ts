import { open, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { DigestFunction } from "../base/digest-function.ts";
import { inParallel } from "../base/in-parallel.ts";
import { newEnding } from "../store/disk/index-rewrite.ts";
import { goneEnding, indexName, numberIn, packHeader, packName } from "../store/disk/pack.ts";
import { type CheckContext, type CheckedShelf, found, foundBroken } from "./check-context.ts";
import { lengthOfRotten, type PackCheck } from "./check-pack.ts";
import type { Finding } from "./findings.ts";
import { RecordBuffer, writeIndexFile } from "./index-file.ts";
import { list } from "./list-directory.ts";

/** The end of an unfinished write that is kept: the longest that there can be, and some. */
const maxKeptTail = 16 << 20;

/** Reads all packs of a shelf and says what is wrong with them; where that is wanted, each is repaired when it was read. */
export async function checkPacks(context: CheckContext, shelf: CheckedShelf): Promise<void> {
  const directory = join(shelf.directory, "packs");
  const packs = new Set<number>();
  const indexes: number[] = [];
  const gone = new Set<number>();
  for (const name of list(context, directory) ?? []) {
    const parsed = numberIn(name);
    if (parsed?.isPack) packs.add(parsed.number);
    else if (parsed !== undefined) indexes.push(parsed.number);
    else if (name.endsWith(goneEnding)) {
      // First its index: a pack is never found without one whose removals count.
      const number = numberIn(name.slice(0, -goneEnding.length))?.number;
      if (number !== undefined) gone.add(number);
    } else if (name.endsWith(newEnding)) await leftover(context, join(directory, name));
    else found(context, "foreign", join(directory, name), "is not a pack or its index");
  }
  for (const number of indexes) {
    if (gone.has(number)) await leftover(context, join(directory, indexName(number)));
    else if (!packs.has(number)) await lostPack(context, directory, number);
  }
  for (const number of gone) await leftover(context, join(directory, packName(number) + goneEnding));
  await inParallel(packs, context.workers.count, (number) => checkOne(context, shelf, directory, number));
}

/** Notes what an interrupted write left, and deletes it where that is wanted. */
export async function leftover(context: CheckContext, path: string): Promise<void> {
  const finding = found(context, "leftover", path, "is not in use");
  if (!context.repair) return;
  const isGone = await rm(path, { force: true }).then(
    () => true,
    () => false, // as of a directory, which no write has left
  );
  if (isGone) context.findings.repaired([finding]);
}

async function lostPack(context: CheckContext, directory: string, number: number): Promise<void> {
  const path = join(directory, indexName(number));
  const finding = found(context, "pack-lost", path, `${packName(number)} is not there`);
  if (!context.repair) return;
  await rm(path);
  context.findings.repaired([finding]);
}

async function checkOne(context: CheckContext, shelf: CheckedShelf, directory: string, number: number): Promise<void> {
  const { function: fn } = shelf;
  const [path, index] = [join(directory, packName(number)), join(directory, indexName(number))];
  const now = Math.floor(context.clock() / 1000);
  const { pack, refused } = await context.workers.run({ kind: "pack", path, index, function: fn.name, now });
  if (pack === undefined) {
    found(context, "unreadable", path, `it, or its index, cannot be read: ${refused}`);
    return;
  }
  context.tally.packs++;
  context.tally.blobs += pack.blobs;
  const findings = describe(context, shelf, path, index, pack);
  if (!context.repair || findings.length === 0) return;
  await repairPack(context, shelf, path, index, pack);
  context.findings.repaired(findings);
}

function describe(context: CheckContext, shelf: CheckedShelf, path: string, index: string, pack: PackCheck): Finding[] {
  const findings: Finding[] = [];
  if (!pack.headerGood)
    findings.push(found(context, "pack-header-damaged", path, "it does not begin as a pack of its function does"));
  if (pack.index === "damaged") findings.push(found(context, "index-damaged", index, "a block does not verify"));
  if (pack.index === "torn") findings.push(found(context, "index-torn", index, "its last block is not whole"));
  for (const { hash, size, offset } of pack.rotten) {
    const what = { kind: "blob-rotten", what: `does not verify at ${offset}` } as const;
    findings.push(foundBroken(context, shelf, { function: shelf.function, hash, size }, path, what));
  }
  if (pack.unlisted > 0) findings.push(found(context, "pack-unlisted", path, `${pack.unlisted} blobs`));
  if (pack.tornFrom < pack.size) {
    findings.push(found(context, "pack-torn", path, `${pack.size - pack.tornFrom} bytes from ${pack.tornFrom} on`));
  }
  return findings;
}

/**
 * In this order: what is broken is kept in the quarantine, the header is written, the torn end is cut off, and the index file is replaced. A
 * crash before the last step leaves an index that lists what is broken, to be found again; after it, all is done.
 */
async function repairPack(
  context: CheckContext,
  shelf: CheckedShelf,
  path: string,
  index: string,
  pack: PackCheck,
): Promise<void> {
  const { function: fn, instance } = shelf;
  const file = relative(context.store, path);
  const handle = await open(path, "r+");
  try {
    for (const each of pack.rotten) {
      const bytes = await readSome(handle, each.offset, lengthOfRotten(each, fn));
      const digest = { function: fn, hash: each.hash, size: each.size };
      await context.quarantine.keepBytes(
        { instance, digest, file, offset: each.offset, reason: "does not verify" },
        bytes,
      );
    }
    if (!pack.headerGood) await handle.write(packHeader(fn), 0, packHeader(fn).length, 0);
    if (pack.tornFrom < pack.size) {
      const bytes = await readSome(handle, pack.tornFrom, Math.min(maxKeptTail, pack.size - pack.tornFrom));
      const reason = "the end of an unfinished write";
      await context.quarantine.keepBytes({ instance, digest: undefined, file, offset: pack.tornFrom, reason }, bytes);
      await handle.truncate(pack.tornFrom);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await writeIndexFile(index, fn, recordsOf(pack, fn), pack.tornFrom);
}

function recordsOf({ listing }: PackCheck, fn: DigestFunction): RecordBuffer {
  const records = new RecordBuffer(fn);
  records.words = listing.words;
  records.count = listing.count;
  return records;
}

type Handle = Awaited<ReturnType<typeof open>>;

/** What can be read of a range. */
async function readSome(handle: Handle, offset: number, length: number): Promise<Uint8Array | undefined> {
  const bytes = Buffer.alloc(length);
  const read = await handle.read(bytes, 0, length, offset).catch(() => undefined);
  return read && bytes.subarray(0, read.bytesRead);
}
