import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { type Log, silentLog } from "../../src/base/log.ts";
import { openCache } from "../../src/cache/open-cache.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import { inFile } from "../../src/store/disk/digest-index.ts";
import { type DiskStore, openDiskStore } from "../../src/store/disk/open-store.ts";
import { onDisk } from "../../src/store/disk/space.ts";
import type { Ref, RefStore } from "../../src/store/ref-store.ts";
import { blobOf, firstOf } from "./power-blobs.ts";
import { refOf, versionOf } from "./power-refs.ts";
import { Promised } from "./sayings.ts";

/** What is put after a power cut, to see that the store goes on: a small blob, a file, a ref. */
const afterwards = [firstOf.small + 90_001, firstOf.file + 90_002];
const refAfterwards = refOf("afterwards", 1, blobOf(afterwards[0] as number).digest);

/** What the index files may differ by from what is counted for them. */
const slackBytes = 10_000;

/** What is opened: a store, and the refs beside it where the workload has any. */
interface Opened {
  readonly store: DiskStore;
  readonly refs?: RefStore;
  close(): Promise<void>;
}

/**
 * Opens the store that a power cut left and throws where it has lost what was promised, has what is not whole, or does not go on. Refs are only
 * looked for where there are any: opening them takes longer than all the rest.
 */
export async function checkStore(path: string, said: readonly string[], all: readonly string[]): Promise<void> {
  const promised = new Promised(said);
  const numbers = numbersIn(all);
  const withRefs = all.some((line) => line.startsWith("putting "));
  const first = await open(path, withRefs);
  try {
    await checkBlobs(first, promised, numbers);
    checkRefs(first, promised);
    assert.deepEqual(leftovers(path), [], "nothing is left behind");
    await Promise.all(afterwards.map((number) => put(first, number)));
    await first.refs?.put([refAfterwards]);
  } finally {
    await first.close();
  }
  const second = await open(path, withRefs);
  try {
    await checkBlobs(second, promised, [...numbers, ...afterwards]);
    for (const number of afterwards) assert.ok(isThere(second, number), `blob ${number}, put afterwards, is there`);
    checkRefs(second, promised);
    checkHeaders(path);
    if (withRefs) assert.ok(second.refs?.get(refAfterwards), "the ref that was put afterwards is there");
  } finally {
    await second.close();
  }
  const third = await open(path, withRefs);
  try {
    // A start writes down what it found out: what that says counts only now.
    await checkBlobs(third, promised, [...numbers, ...afterwards]);
    for (const number of afterwards) assert.ok(isThere(third, number), `blob ${number} is still there`);
    checkFiles(third, path, withRefs);
  } finally {
    await third.close();
  }
}

/** What the store counts is what lies there, and each file of a large blob is the one that the index leads to. */
function checkFiles({ store }: Opened, path: string, withRefs: boolean): void {
  let bytes = 0;
  for (const { directory, shelf } of store.shelves()) {
    if (!existsSync(directory)) continue; // it was looked for, no more
    const { index } = shelf;
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const { size } = statSync(join(entry.parentPath, entry.name));
      bytes += basename(dirname(entry.parentPath)) === "files" ? onDisk(size) : size;
      const [hash = "", serial] = entry.name.split(".");
      if (basename(dirname(entry.parentPath)) !== "files") continue;
      const { words } = DigestList.of({ function: index.function, hash, size: 1 });
      assert.ok(index.usedAt(words, 0, inFile, Number(serial)) !== undefined, `${entry.name} is listed`);
    }
  }
  const { bytes: counted, live, dead, others } = store.usage();
  assert.equal(live + dead + others, counted, "tenants have all that is counted");
  if (!withRefs)
    assert.ok(Math.abs(counted - bytes) < slackBytes, `${counted} bytes are counted, of ${bytes} in ${path}`);
}

async function open(path: string, withRefs: boolean): Promise<Opened> {
  const options = { durability: "on", clock: systemClock, log: noErrors } as const;
  if (withRefs) return openCache(path, { ...options, quota: undefined });
  const store = await openDiskStore(path, options);
  return { store, close: () => store.close() };
}

/** What the store logs as an error it has lost, or would have served broken. */
const noErrors: Log = {
  ...silentLog,
  error: (fields: object, message: string) => {
    throw new assert.AssertionError({ message: `the store logged: ${message} ${JSON.stringify(fields)}` });
  },
};

async function checkBlobs({ store }: Opened, promised: Promised, numbers: Iterable<number>): Promise<void> {
  for (const number of numbers) {
    const { tenant, digest, bytes } = blobOf(number);
    const blobs = store.tenant(tenant);
    if (blobs.missing(DigestList.of(digest)).length === 0) {
      assert.ok(bytes.equals(await read(blobs, digest)), `blob ${number} is whole`);
      assert.ok(!promised.gone.has(number), `blob ${number}, which was removed, is gone`);
    } else assert.ok(!promised.has.has(number), `blob ${number} is there`);
  }
}

function isThere({ store }: Opened, number: number): boolean {
  const { tenant, digest } = blobOf(number);
  return store.tenant(tenant).missing(DigestList.of(digest)).length === 0;
}

async function put({ store }: Opened, number: number): Promise<void> {
  const { tenant, digest, bytes } = blobOf(number);
  await store.tenant(tenant).put(digest, bytes);
}

function checkRefs({ store, refs }: Opened, promised: Promised): void {
  for (const [name, versions] of promised.refs) {
    const ref = refs?.get(refOf(name, 0)) as Ref | undefined;
    const version = ref && versionOf(ref);
    assert.ok(versions.has(version), `ref ${name} has version ${version}, of ${[...versions]}`);
    for (const { digest } of ref?.roots ?? []) {
      const absent = store.tenant("").missing(DigestList.of(digest));
      assert.equal(absent.length, 0, `ref ${name} has its roots`);
    }
  }
}

/** Another reader of the directory knows a pack by its header. */
function checkHeaders(path: string): void {
  const packs = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".pack"));
  for (const pack of packs) {
    const magic = readFileSync(join(path, pack)).subarray(0, 8).toString("latin1");
    assert.equal(magic, "stillpak", `${pack} has its header`);
  }
}

/** The blobs that are ever named. */
function numbersIn(said: readonly string[]): ReadonlySet<number> {
  const lines = said.map((line) => line.split(" "));
  return new Set(lines.filter(([what]) => what === "has" || what === "removing").map(([, number]) => Number(number)));
}

/** Files that a start deletes. */
function leftovers(path: string): string[] {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\/incoming\/|\.new$/.test(name));
}
